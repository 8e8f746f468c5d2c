"""Serves HTTP/1.1 through Granian, over TLS if there is a certificate. The limit of open files limits the connections.

A connection that sends nothing, or half of a request's head, is closed. `api/bodies.py` handles slow bodies.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from typing import Any

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]  # Granian has no types here
from granian.server import embed
from starlette.types import ASGIApp

from fechatter.errors import StartError
from fechatter.process.certificates import Certificate
from fechatter.process.open_files import MORE_FILES, Spare
from fechatter.tasks import Tasks

log = logging.getLogger(__name__)

BACKLOG = 4096
HEAD_SECONDS = 10
"""How long a connection may take to send the head of its first or next request."""
GATEWAY_SECONDS = 24 * 60 * 60
"""The same for the gateway, which keeps its connections and closes them itself."""
BUFFER_BYTES = 64 * 1024
"""Granian's buffer per connection. A client that does not read costs a third less memory than by default."""
WATCH_SECONDS = 0.1


class Listening:
    """The listening socket and the Granian that serves it. A new Granian replaces it when the certificate changes.

    Both accept from the same socket, so that no connection is refused during the change. The earlier Granian ends after
    its last response. Until then each of them accepts the maximum number of connections, because Granian's limit cannot
    change later.
    """

    def __init__(
        self, app: ASGIApp, bound: socket.socket, connections: int, tasks: Tasks, head_seconds: int = HEAD_SECONDS
    ) -> None:
        self._app = app
        self._head_seconds = head_seconds
        self._socket = bound
        self._connections = connections
        self._tasks = tasks
        self._serving: dict[_Granian, asyncio.Task[None]] = {}
        self._accepting: _Granian | None = None

    async def serve(self, certificate: Certificate | None) -> None:
        """Accept connections with this certificate instead of an earlier one.

        Raises:
            StartError: Granian does not accept the certificate; nothing has changed.
        """
        earlier = list(self._serving)
        granian = _granian(self._app, self._socket, self._connections, certificate, self._head_seconds)
        task = self._tasks.start("http server", _run(granian))
        if not await granian.begun:
            raise StartError(
                f"Granian cannot serve{f' with the certificate {certificate.chain}' if certificate else ''}."
            )
        self._serving[granian] = task
        self._accepting = granian
        task.add_done_callback(lambda _: self._serving.pop(granian))
        task.add_done_callback(lambda _: granian.close())
        for previous in earlier:
            # An immediate stop would cut off connections that have not sent their request yet.
            previous.accept(False)
        if certificate and not earlier:
            self._tasks.start("watch of open files", self._watch_files())
        if earlier:
            self._tasks.start("end of an earlier certificate", _end(earlier))

    def stop(self) -> None:
        """Accept no new connections; each open connection ends after its pending response."""
        self._socket.close()
        self._accepting = None
        for granian in self._serving:
            granian.stop()  # type: ignore[no-untyped-call]

    async def _watch_files(self) -> None:
        """Accept no connections while few files are free. Granian counts connections only after the TLS handshake."""
        spare, paused = Spare(), False
        while (granian := self._accepting) is not None:
            used = spare.take()
            if not paused and used >= self._connections + MORE_FILES:
                log.warning("too many connections: no new ones until some have ended")
                granian.accept(False)
                paused = True
            elif paused and used < self._connections:
                granian.accept(True)
                paused = False
                # Granian is notified only of connections that arrive from now on.
                self._turn_away()
            if paused:
                spare.release()
                self._turn_away()
            await asyncio.sleep(WATCH_SECONDS)

    def _turn_away(self) -> None:
        """Close the connections that wait to be accepted."""
        for _ in range(BACKLOG):
            try:
                self._socket.accept()[0].close()
            except OSError:
                return  # no connection waits, or there is no free file

    async def ended(self, seconds: float) -> bool:
        """Wait up to `seconds` until the last connection has ended; return whether it has."""
        return not self._serving or not (await asyncio.wait(self._serving.values(), timeout=seconds))[1]


class _Granian(embed.Server):
    """Granian on a socket that is bound already.

    Attributes:
        begun: True once this Granian serves; False if it refused its certificate.
    """

    def __init__(self, app: ASGIApp, bound: socket.socket, **options: Any) -> None:
        super().__init__(app, **options)
        self.begun: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._socket = bound
        self._unconnected = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._unconnected.setblocking(False)

    def _init_shared_socket(self) -> None:
        self._socket.setblocking(False)
        self._socket.listen(BACKLOG)
        # Granian closes its descriptor when it stops, so it gets a duplicate.
        self._own = os.dup(self._socket.fileno())
        # On Linux, SocketHolder has a third argument.
        on_unix = self._socket.family == socket.AF_UNIX
        arguments = (self._own, on_unix, BACKLOG) if sys.platform == "linux" else (self._own, on_unix)
        self._shd: Any = SocketHolder(*arguments)

    def accept(self, on: bool) -> None:
        """Accept new connections or stop doing so. Only a Granian that serves has the descriptor for this."""
        os.dup2((self._socket if on else self._unconnected).fileno(), self._own, inheritable=False)

    def close(self) -> None:
        """Release the unconnected socket. Call this after Granian has ended."""
        self._unconnected.close()

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        # By then Granian's worker has taken its first step. With a bad certificate, that step fails.
        asyncio.get_running_loop().call_soon(self._set_begun)

    def _set_begun(self) -> None:
        self.begun.set_result(self.wrks[0].is_alive())  # type: ignore[no-untyped-call]


async def _end(earlier: list[_Granian]) -> None:
    """Stop after every connection has sent its request or has exceeded its time limit."""
    await asyncio.sleep(HEAD_SECONDS * 2)
    for granian in earlier:
        granian.stop()  # type: ignore[no-untyped-call]


async def _run(granian: _Granian) -> None:
    """Run Granian until it is stopped. Raises the error that ended it, if it had begun to serve."""
    # A panic in Granian's Rust code is raised as a BaseException.
    died: BaseException | None
    (died,) = await asyncio.gather(granian.serve(), return_exceptions=True)
    if not granian.begun.done():
        granian.begun.set_result(False)
    if not granian.begun.result():
        log.error("Granian cannot start: %s", died)
    elif died is not None:
        raise died
    elif not granian.interrupt_signal:
        raise RuntimeError("Granian ended without being stopped")


def _granian(
    app: ASGIApp, bound: socket.socket, connections: int, certificate: Certificate | None, head_seconds: int
) -> _Granian:
    """Configure HTTP/1.1 only. Browsers use HTTP/2 over TLS only, and Granian has no time limit for its preface."""
    return _Granian(
        app,
        bound,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=head_seconds * 1000, max_buffer_size=BUFFER_BYTES),
        backlog=BACKLOG,
        # This limits connections, not requests. Health checks must work while all streams are open.
        backpressure=connections,
        websockets=False,
        log_enabled=False,
        ssl_cert=certificate and certificate.chain,
        ssl_key=certificate and certificate.key,
        ssl_protocol_min=SSLProtocols.tls12,
    )
