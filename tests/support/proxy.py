"""A TCP forwarder in front of a server, to take the server away from one client and give it back.

While it is closed nothing listens on its port and every connection through it is cut, which is what
a client of a server that has gone sees; everybody else keeps the server.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Forwards `port` to a server, unless it is cut off."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._pairs: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    def cut(self) -> None:
        """Listen no longer and cut every connection."""
        listener = self._listener
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        pairs, self._pairs = self._pairs, []
        for each in pairs:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def mend(self) -> None:
        """Listen again, on the same port."""
        self._listener = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _address = listener.accept()
                server = socket.create_connection(self._server)
                self._pairs += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxied(host: str, port: int) -> Iterator[Proxy]:
    """Forward while the block runs."""
    proxy = Proxy(host, port)
    try:
        yield proxy
    finally:
        proxy.cut()
