"""Between a worker and PostgreSQL: cuts a connection during its COMMIT, or lets it fall silent.

It understands no more of the protocol than where a message of the client ends and what it asks. A
COMMIT counts where the transaction has claimed events (it mentions the inbox): those of the relay
and of steps go through.
"""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Self

from sqlalchemy.engine import make_url

Cut = Literal["before_it_arrives", "before_its_answer"]

_LISTEN = 50
_CLAIM = b"INTO inbox"
_ANSWERED = b"Z\x00\x00\x00\x05"  # ReadyForQuery


@dataclass
class PostgresProxy:
    """Listens on a port of its own. `cuts` counts the commits that were cut."""

    target_url: str
    cuts: int = 0
    _mode: Cut | None = None
    _left: int = 0
    _silent: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: list["_Pair"] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Listen."""
        self._server = socket.create_server(("127.0.0.1", 0), backlog=_LISTEN)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of everything."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut_all()

    @property
    def url(self) -> str:
        """The target's URL, by way of this port."""
        port = self._server.getsockname()[1]
        through = make_url(self.target_url).set(host="127.0.0.1", port=port)
        return through.render_as_string(hide_password=False)

    def cut_commits(self, mode: Cut, count: int) -> None:
        """Cut so many of the next commits of batches."""
        with self._lock:
            self._mode, self._left = mode, count

    def fall_silent(self) -> None:
        """Take what comes and pass nothing on, in either direction; connections stay open."""
        self._silent.set()

    def speak_again(self) -> None:
        """Serve new connections; the silent ones never come back."""
        with self._lock:
            stale, self._open = self._open, []
        self._silent.clear()
        for pair in stale:
            pair.close()

    def cut_all(self) -> None:
        """Cut every connection."""
        with self._lock:
            stale, self._open = self._open, []
        for pair in stale:
            pair.close()

    def is_silent(self) -> bool:
        """Does nothing go through?"""
        return self._silent.is_set()

    def takes_a_cut(self) -> Cut | None:
        """Return how a commit is to be cut that is about to be passed on; None: not at all."""
        with self._lock:
            if self._left == 0:
                return None
            self._left -= 1
            self.cuts += 1
            return self._mode

    def _accept(self) -> None:
        target = make_url(self.target_url)
        while True:
            try:
                client, _address = self._server.accept()
            except OSError:
                return
            server = socket.create_connection((target.host or "127.0.0.1", target.port or 5432))
            pair = _Pair(self, client, server)
            with self._lock:
                self._open.append(pair)
            pair.start()


class _Pair:
    """One connection through the proxy: a thread for each direction."""

    def __init__(self, proxy: PostgresProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._rest = b""
        self._started = False
        self._claims = False
        self._answer_dropped = False

    def start(self) -> None:
        """Pass on what comes."""
        for work in (self._forth, self._back):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        """Cut it on both sides."""
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _forth(self) -> None:
        try:
            while data := self._client.recv(65536):
                if self._proxy.is_silent():
                    continue
                self._rest += data
                for message in self._messages():
                    self._pass_on(message)
        except OSError:
            pass
        self.close()

    def _back(self) -> None:
        try:
            while data := self._server.recv(65536):
                if self._answer_dropped and data.find(_ANSWERED) >= 0:
                    break  # it has committed, and nobody hears of it
                if not (self._answer_dropped or self._proxy.is_silent()):
                    self._client.sendall(data)
        except OSError:
            pass
        self.close()

    def _pass_on(self, message: bytes) -> None:
        self._claims = self._claims or _CLAIM in message
        if message[:1] in b"QP" and b"COMMIT" in message and self._claims:
            self._claims = False
            cut = self._proxy.takes_a_cut()
            if cut == "before_it_arrives":
                raise OSError
            self._answer_dropped = cut == "before_its_answer"
        self._server.sendall(message)

    def _messages(self) -> list[bytes]:
        """Take whole messages off what has come: the first has no letter before its length."""
        whole: list[bytes] = []
        while True:
            letter = 1 if self._started else 0
            if len(self._rest) < letter + 4:
                return whole
            size = letter + int.from_bytes(self._rest[letter : letter + 4])
            if len(self._rest) < size:
                return whole
            message, self._rest = self._rest[:size], self._rest[size:]
            whole.append(message)
            # A request for encryption (8 bytes) comes before the real first message.
            self._started = self._started or size > 8
