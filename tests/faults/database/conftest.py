"""A worker between the shared servers, on a database and queues of its own."""

import pytest

from tests.support.stack import Stack

QUICK = {
    "BACKSHIP_BATCH_SIZE_MAX": "50",
    "BACKSHIP_STATEMENT_SECONDS_MAX": "2",
    "BACKSHIP_LOCK_SECONDS_MAX": "1",
    "BACKSHIP_CONNECT_SECONDS_MAX": "2",
}
"""Small limits: what they are for shows in seconds."""


@pytest.fixture
def stack(vhost_url: str, topology_prefix: str, postgres_database_url: str) -> Stack:
    """Tables and queues with nothing in them."""
    made = Stack(postgres_database_url, vhost_url, topology_prefix, QUICK)
    made.init()
    return made
