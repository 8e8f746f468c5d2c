"""Serves HTTP/1.1 through Granian. The limit of open files limits the connections.

A connection that sends nothing, or half of a request's head, is closed. `api/bodies.py` handles slow bodies.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]  # Granian has no types here
from granian.server import embed
from starlette.types import ASGIApp

from fechatter.errors import StartError
from fechatter.tasks import Tasks

log = logging.getLogger(__name__)

BACKLOG = 4096
HEAD_SECONDS = 10
"""How long a connection may take to send the head of its first or next request."""
GATEWAY_SECONDS = 24 * 60 * 60
"""The same limit for the connections of the gateway, which reuses them and closes them itself."""
BUFFER_BYTES = 64 * 1024
"""Granian's buffer per connection. A client that does not read costs a third less memory than by default."""


class Listening:
    """A bound socket and the Granian that serves it. Behind the gateway, it serves no WebSockets."""

    def __init__(
        self,
        app: ASGIApp,
        bound: socket.socket,
        connections: int,
        tasks: Tasks,
        head_seconds: int = HEAD_SECONDS,
        *,
        websockets: bool = False,
    ) -> None:
        self._socket = bound
        self._tasks = tasks
        self._granian = _granian(app, bound, connections, head_seconds, websockets=websockets)
        self._serving: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Begin to accept connections. Raises StartError: Granian cannot start; the log has the reason."""
        self._serving = self._tasks.start("http server", _run(self._granian))
        if not await self._granian.begun:
            raise StartError("Granian cannot serve.")

    def stop(self) -> None:
        """Accept no new connections; each open connection ends after its pending response."""
        self._socket.close()
        self._granian.stop()  # type: ignore[no-untyped-call]

    async def ended(self, seconds: float) -> bool:
        """Wait up to `seconds` until the last connection has ended; return whether it has."""
        return self._serving is None or not (await asyncio.wait([self._serving], timeout=seconds))[1]


class _Granian(embed.Server):
    """Granian on a socket that is bound already.

    Attributes:
        begun: True once this Granian serves; False if it cannot.
    """

    def __init__(self, app: ASGIApp, bound: socket.socket, **options: Any) -> None:
        super().__init__(app, **options)
        self.begun: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._socket = bound

    def _init_shared_socket(self) -> None:
        self._socket.setblocking(False)
        self._socket.listen(BACKLOG)
        # Granian closes its descriptor when it stops, so it gets a duplicate.
        own, on_unix = os.dup(self._socket.fileno()), self._socket.family == socket.AF_UNIX
        # On Linux, SocketHolder has a third argument.
        arguments = (own, on_unix, BACKLOG) if sys.platform == "linux" else (own, on_unix)
        self._shd: Any = SocketHolder(*arguments)

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        # By then Granian's worker has taken its first step.
        asyncio.get_running_loop().call_soon(self._set_begun)

    def _set_begun(self) -> None:
        self.begun.set_result(self.wrks[0].is_alive())  # type: ignore[no-untyped-call]


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


def _granian(app: ASGIApp, bound: socket.socket, connections: int, head_seconds: int, *, websockets: bool) -> _Granian:
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
        websockets=websockets,
        log_enabled=False,
    )
