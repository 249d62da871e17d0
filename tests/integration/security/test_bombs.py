"""200 KB that would become 200 MB are set aside as they are, and cost no memory (F27)."""

import gzip
import os
from pathlib import Path

import pytest
from kombu.connection import Connection
from kombu.messaging import Producer

from tests.support.desk import open_desk, rows
from tests.support.transports import EmbeddedStack, KombuStack, RabbitStack, Stack, take
from workers.intake import take_in
from workers.isolate import settle

BOMB_BYTES = 200_000_000
GROWTH_BYTES_MAX = 20 * 1024 * 1024

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bomb() -> bytes:
    packed = gzip.compress(b"0" * BOMB_BYTES, compresslevel=9)
    assert 150_000 < len(packed) < 250_000
    return packed


def resident_bytes() -> int:
    """Memory of this process, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """The most it has ever had since `forget_peak`."""
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    )
    return int(line.split()[1]) * 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def received(stack: Stack, database_url: str) -> None:
    """Take what is there as a worker does; it is set aside, in its own size."""
    with open_desk(database_url) as desk:
        forget_peak()
        before = resident_bytes()
        with stack.transport.consumer(stack.topology.inbox_queue) as consumer:
            deliveries = take(consumer, 1)
            report = settle(desk, take_in(deliveries, desk.clock.now()))
            consumer.ack(deliveries)
        assert peak_bytes() - before < GROWTH_BYTES_MAX
        assert report.counts == {"malformed": 1}
        ((size,),) = rows(desk, "SELECT LENGTH(body) FROM set_aside WHERE reason = 'malformed'")
        assert isinstance(size, int)
        assert size < 300_000


@pytest.mark.parametrize("how", ["header", "encoding"])
@pytest.mark.parametrize(
    "name",
    [pytest.param("rabbit", marks=pytest.mark.broker, id="F27-rabbit"),
     pytest.param("embedded", id="F27-embedded"), pytest.param("kombu", id="F27-kombu")],
)  # fmt: skip
def test_a_compressed_bomb_is_refused_before_it_costs_memory(  # noqa: PLR0913, PLR0917 - fixtures
    name: str,
    how: str,
    bomb: bytes,
    request: pytest.FixtureRequest,
    topology_prefix: str,
    tmp_path: Path,
) -> None:
    stack: Stack
    if name == "rabbit":
        url = request.getfixturevalue("vhost_url")
        stack = RabbitStack(url, topology_prefix, tmp_path)
    else:
        stack = (EmbeddedStack if name == "embedded" else KombuStack)(topology_prefix, tmp_path)
    stack.transport.declare(stack.topology)
    headers = {"compression": "application/x-gzip"} if how == "header" else {}
    stack.put_raw(bomb, headers=headers, encoding="gzip" if how == "encoding" else None)
    received(stack, f"sqlite:///{tmp_path / 'desk.db'}")


def test_a_bomb_published_through_kombus_own_api_is_refused_too(
    bomb: bytes, topology_prefix: str, tmp_path: Path
) -> None:
    stack = EmbeddedStack(topology_prefix, tmp_path)
    stack.transport.declare(stack.topology)
    with Connection(f"backship-sqlite:///{stack.path}") as connection:
        Producer(connection.channel()).publish(
            bomb,
            exchange=stack.topology.inbox_exchange,
            routing_key="OrderPlaced.main",
            content_type="application/data",
            content_encoding="binary",
            headers={"compression": "application/x-gzip"},
        )
    received(stack, f"sqlite:///{tmp_path / 'desk.db'}")
