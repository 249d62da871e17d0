"""Settings for the tests of faults."""

# Small batches, so that a fault finds the worker at work; short waits, so that it is over soon.
QUICK = {
    "BACKSHIP_BATCH_SIZE_MAX": "10",
    "BACKSHIP_EMBEDDED_LEASE_SECONDS": "2",
    "BACKSHIP_HEARTBEAT_SECONDS": "5",
    "BACKSHIP_PUBLISH_SECONDS_MAX": "3",
    "BACKSHIP_CONNECT_SECONDS_MAX": "5",
}
