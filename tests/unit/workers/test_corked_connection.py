"""What corking leans on: that pika hands everything it writes to one method, which we override."""

from pika.adapters.base_connection import BaseConnection
from pika.connection import Connection

from workers.transports.corked_connection import CorkedConnection

METHOD = "_adapter_emit_data"


def test_pika_still_writes_through_the_method_that_corking_overrides() -> None:
    assert METHOD in vars(BaseConnection)
    assert METHOD in vars(CorkedConnection)
    writer = Connection._output_marshaled_frames  # type: ignore[attr-defined] # noqa: SLF001
    assert METHOD in writer.__code__.co_names
