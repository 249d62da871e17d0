"""The bad network of the fault tests does what it says: else they would prove nothing."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.support.fault_proxy import FaultProxy

SECONDS_MAX = 10.0
SOON_SECONDS = 0.2


@pytest.fixture
def network() -> Iterator[FaultProxy]:
    """A proxy before a server that gives back every byte."""
    server = socket.create_server(("127.0.0.1", 0))
    talks: list[threading.Thread] = []

    def echo(client: socket.socket) -> None:
        with client:
            try:
                while chunk := client.recv(65536):
                    client.sendall(chunk)
            except ConnectionError:
                return

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            talks.append(threading.Thread(target=echo, args=(client,), daemon=True))
            talks[-1].start()

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    with FaultProxy("127.0.0.1", server.getsockname()[1]) as proxy:
        yield proxy
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    serving.join(SECONDS_MAX)
    for talk in talks:
        talk.join(SECONDS_MAX)
        assert not talk.is_alive()


def connect(network: FaultProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", network.port), timeout=SECONDS_MAX)


def echoed(client: socket.socket, sent: bytes) -> bytes:
    client.sendall(sent)
    back = b""
    while len(back) < len(sent):
        back += client.recv(65536)
    return back


def says_nothing(client: socket.socket) -> bool:
    client.settimeout(SOON_SECONDS)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(SECONDS_MAX)
    return False


def test_it_carries_everything_both_ways(network: FaultProxy) -> None:
    sent = bytes(range(256)) * 4096
    with connect(network) as one, connect(network) as other:
        assert echoed(one, sent[:70_000]) == sent[:70_000]
        assert echoed(other, b"two") == b"two"
        assert network.open_count == 2
    assert network.accepted == 2


def test_a_cut_is_a_reset_or_an_end_and_the_next_connection_is_good(network: FaultProxy) -> None:
    with connect(network) as client:
        assert echoed(client, b"a") == b"a"
        network.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with connect(network) as client:
        assert echoed(client, b"b") == b"b"
        network.cut(reset=False)
        assert client.recv(1) == b""
    with connect(network) as client:
        assert echoed(client, b"c") == b"c"


def test_while_it_refuses_nobody_gets_through(network: FaultProxy) -> None:
    network.refuse()
    with pytest.raises(ConnectionResetError), connect(network) as client:
        client.recv(1)
    network.mend()
    with connect(network) as client:
        assert echoed(client, b"a") == b"a"


def test_a_hanging_network_closes_nothing_and_says_nothing_until_it_is_mended(
    network: FaultProxy,
) -> None:
    with connect(network) as old:
        assert echoed(old, b"a") == b"a"
        network.hang()
        old.sendall(b"b")
        with connect(network) as new:
            new.sendall(b"c")
            assert says_nothing(old)
            assert says_nothing(new)
            network.mend()
            assert old.recv(1) == b"b"
            assert new.recv(1) == b"c"


def test_lost_connections_stay_lost_and_new_ones_are_good(network: FaultProxy) -> None:
    with connect(network) as old:
        assert echoed(old, b"0") == b"0"
        network.lose_current()
        old.sendall(b"a")
        network.mend()
        with connect(network) as new:
            assert echoed(new, b"b") == b"b"
        assert says_nothing(old)


def test_a_delay_holds_everything_back_and_loses_nothing(network: FaultProxy) -> None:
    with connect(network) as client:
        network.delay(2 * SOON_SECONDS)
        client.sendall(b"ab")
        assert says_nothing(client)
        assert client.recv(2) == b"ab"


def test_crumbs_arrive_one_by_one_and_all_of_them(network: FaultProxy) -> None:
    sent = bytes(range(256)) * 8
    with connect(network) as client:
        network.crumble()
        assert echoed(client, sent) == sent
