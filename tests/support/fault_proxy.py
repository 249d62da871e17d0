"""A bad network on demand: a TCP proxy that cuts, hangs, delays or crumbles what runs through it.

It knows no protocol, so it stands before a broker or a database alike:

    with FaultProxy("127.0.0.1", 5432) as network:
        url = f"postgresql+psycopg://postgres@127.0.0.1:{network.port}/postgres"
        network.hang()      # half-open: nothing is read or forwarded, nothing is closed
        network.mend()      # what was held up flows again
        network.cut()       # every connection ends, by RST or by FIN
        network.refuse()    # nobody gets a connection either

A loop in a thread of its own serves it; the methods may be called from any thread, and have had
their effect when they return.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Self

CHUNK_BYTES_MAX = 65_536
WAITING_CHUNKS_MAX = 256
"""What a delayed direction may hold up; beyond it the sender feels it, as on a real network."""
ANSWER_SECONDS_MAX = 10.0
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends RST instead of FIN."""


class FaultProxy:
    """One listening port on loopback in front of one server."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)  # noqa: FBT003 - its only parameter
        self.port: int = self._listening.getsockname()[1]
        # Only in the loop's thread.
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._conditions = _Conditions()
        self._refusing = False
        self.accepted = 0
        """How many connections there have been."""
        self._thread = threading.Thread(target=self._run, name="fault proxy", daemon=True)
        self._thread.start()

    @property
    def open_count(self) -> int:
        """Count the connections that are open now."""
        return len(self._links)

    def mend(self) -> None:
        """Be a good network again: what is held up flows, whoever asks is let in."""

        def do() -> None:
            self._conditions = _Conditions()
            self._refusing = False
            for link in self._links:
                if not link.lost:
                    link.conditions = self._conditions
                    link.changed()

        self._do(do)

    def cut(self, *, reset: bool = True) -> None:
        """End every connection, by RST or by FIN; new ones are let in."""
        self._do(lambda: self._cut(reset=reset))

    def refuse(self) -> None:
        """End every connection and every new one at once, until `mend`."""

        def do() -> None:
            self._refusing = True
            self._cut(reset=True)

        self._do(do)

    def hang(self) -> None:
        """Read and forward nothing more and close nothing, new connections too, until `mend`."""
        self._set(_Conditions(hanging=True))

    def lose_current(self) -> None:
        """Hang the connections that are open now, for ever; new ones are served well."""

        def do() -> None:
            for link in self._links:
                link.lost = True
                link.conditions = _Conditions(hanging=True)
                link.changed()

        self._do(do)

    def delay(self, seconds: float) -> None:
        """Let every chunk take so long, each way; those behind it are on their way as well."""
        self._set(_Conditions(delay_seconds=seconds))

    def crumble(self) -> None:
        """Hand on one byte at a time."""
        self._set(_Conditions(chunk_bytes_max=1))

    def close(self) -> None:
        """End everything, the port too. May be called twice."""
        if self._thread.is_alive():
            self._do(lambda: self._cut(reset=True))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(ANSWER_SECONDS_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _do(self, action: Callable[[], None]) -> None:
        done = threading.Event()

        def run() -> None:
            try:
                action()
            finally:
                done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(ANSWER_SECONDS_MAX)

    def _set(self, conditions: "_Conditions") -> None:
        def do() -> None:
            self._conditions = conditions
            for link in self._links:
                if not link.lost:
                    link.conditions = conditions
                    link.changed()

        self._do(do)

    # ---------------------------------------------------------------- in the loop's thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._begin(self._accept())
        try:
            self._loop.run_forever()
        finally:
            for task in self._tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
            self._listening.close()
            self._loop.close()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        while True:
            client, _ = await self._loop.sock_accept(self._listening)
            self.accepted += 1
            if self._refusing:
                _end(client, reset=True)
            else:
                self._begin(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        server = socket.socket()
        server.setblocking(False)  # noqa: FBT003 - its only parameter
        serving = asyncio.current_task()
        assert serving is not None
        link = _Link(client, server, self._conditions, serving)
        self._links.add(link)
        try:
            await self._loop.sock_connect(server, self._target)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await link.run()
        except OSError:
            pass  # the server is away: so is the connection
        finally:
            self._links.discard(link)
            link.close()

    def _cut(self, *, reset: bool) -> None:
        for link in list(self._links):
            link.end(reset=reset)
        self._links.clear()


class _Conditions:
    """How the network is at the moment."""

    def __init__(
        self,
        *,
        hanging: bool = False,
        delay_seconds: float = 0.0,
        chunk_bytes_max: int = CHUNK_BYTES_MAX,
    ) -> None:
        self.hanging = hanging
        self.delay_seconds = delay_seconds
        self.chunk_bytes_max = chunk_bytes_max


class _Link:
    """One connection through the proxy: two sockets, two directions."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        conditions: _Conditions,
        serving: asyncio.Task[None],
    ) -> None:
        self.conditions = conditions
        self._serving = serving
        self.lost = False
        self._ends = (client, server)
        self._loop = asyncio.get_running_loop()
        self._change = asyncio.Event()
        self._ways: list[asyncio.Task[None]] = []

    def changed(self) -> None:
        """Look again at the conditions."""
        self._change.set()
        self._change = asyncio.Event()

    async def run(self) -> None:
        """Carry bytes both ways until either end is done."""
        client, server = self._ends
        for source, target in ((client, server), (server, client)):
            waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING_CHUNKS_MAX)
            self._ways.append(self._loop.create_task(self._read(source, waiting)))
            self._ways.append(self._loop.create_task(self._write(target, waiting)))
        try:
            await asyncio.wait(self._ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in self._ways:
                way.cancel()
            await asyncio.gather(*self._ways, return_exceptions=True)

    def end(self, *, reset: bool) -> None:
        """Stop carrying and close both sockets, at once."""
        for work in self._ways or [self._serving]:
            work.cancel()
        self.close(reset=reset)

    def close(self, *, reset: bool = False) -> None:
        """Close both sockets; once they are closed this does nothing."""
        for end in self._ends:
            if end.fileno() >= 0:
                # Before the number is given to another socket: the loop knows them by it.
                self._loop.remove_reader(end.fileno())
                self._loop.remove_writer(end.fileno())
            _end(end, reset=reset)

    async def _read(
        self, source: socket.socket, waiting: "asyncio.Queue[tuple[float, bytes]]"
    ) -> None:
        while True:
            await self._until_flowing()
            chunk = await self._loop.sock_recv(source, CHUNK_BYTES_MAX)
            due = self._loop.time() + self.conditions.delay_seconds
            await waiting.put((due, chunk))
            if not chunk:
                await asyncio.Event().wait()  # the writer ends the connection, after the rest

    async def _write(
        self, target: socket.socket, waiting: "asyncio.Queue[tuple[float, bytes]]"
    ) -> None:
        while True:
            due, chunk = await waiting.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            await self._until_flowing()
            if not chunk:
                return
            while chunk:
                piece = chunk[: self.conditions.chunk_bytes_max]
                chunk = chunk[len(piece) :]
                await self._loop.sock_sendall(target, piece)
                await asyncio.sleep(0)  # others have their turn between two crumbs
                await self._until_flowing()

    async def _until_flowing(self) -> None:
        while self.conditions.hanging:
            await self._change.wait()


def _end(end: socket.socket, *, reset: bool) -> None:
    with contextlib.suppress(OSError):
        if reset:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    end.close()
