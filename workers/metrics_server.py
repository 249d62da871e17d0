"""The port of `--metrics-port`: `/metrics`, `/healthz`, `/readyz`, from threads of its own.

Read-only, without a password: it listens on 127.0.0.1 unless `METRICS_ADDRESS` says otherwise, and
shows counts only.
"""

import json
import socket
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

from workers.health import Checks

_REQUEST_SECONDS_MAX = 10


class PortTaken(Exception):  # noqa: N818 - names what happened
    """The port can not be listened on; one sentence."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class MetricsServer:
    """Serves until it is closed. `metrics` returns the text of `/metrics`."""

    def __init__(
        self, address: str, port: int, metrics: Callable[[], bytes], checks: Checks
    ) -> None:
        """Listen at once; raises PortTaken."""
        kind = type("_Server6", (_Server,), {"address_family": socket.AF_INET6})
        try:
            self._server = (kind if ":" in address else _Server)(
                (address, port), _handler(metrics, checks)
            )
        except OSError as error:
            raise PortTaken(f"{address}:{port} can not be listened on: {error.strerror}.") from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()


def _handler(metrics: Callable[[], bytes], checks: Checks) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_SECONDS_MAX
        server_version = "backship"
        sys_version = ""

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/metrics":
                    self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, metrics())
                case "/healthz":
                    self._verdict(checks.live())
                case "/readyz":
                    self._verdict(checks.ready())
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/metrics /healthz /readyz\n")

        def _verdict(self, reasons: list[str]) -> None:
            status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
            body = json.dumps({"ok": not reasons, "reasons": reasons}).encode() + b"\n"
            self._answer(status, "application/json", body)

        def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the library's signature
            """Say nothing: a scrape every few seconds is no news."""

    return Handler
