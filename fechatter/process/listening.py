"""How the server listens: HTTP/1.1 through Granian, over TLS if it has a certificate, on no more connections than there are files for.

A connection that says nothing, or half a request's head, is closed; a slow body is the business of `api/bodies.py`.
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
BUFFER_BYTES = 64 * 1024
"""When Granian takes no more for a connection whose client does not read; a third less is held for each than by default (0.65 MB)."""
WATCH_SECONDS = 0.1


class Listening:
    """The socket people connect to, and the Granian that serves it; another takes its place when the certificate changes.

    All of them accept from the one socket, so that nobody is refused while they change; the earlier one ends with its last
    answer. Until then each of them takes as many connections as there are files for: fewer for the new one would stay fewer.
    """

    def __init__(self, app: ASGIApp, held: socket.socket, connections: int, tasks: Tasks) -> None:
        self._app = app
        self._held = held
        self._connections = connections
        self._tasks = tasks
        self._serving: dict[_Granian, asyncio.Task[None]] = {}
        self._accepting: _Granian | None = None

    async def serve(self, certificate: Certificate | None) -> None:
        """From now on accept with this certificate, and no longer with an earlier one.

        Raises:
            StartError: Granian does not take it; nothing has changed.
        """
        earlier = list(self._serving)
        granian = _granian(self._app, self._held, self._connections, certificate)
        task = self._tasks.start("http server", _run(granian))
        if not await granian.begun:
            raise StartError(f"Granian cannot serve{f' with the certificate {certificate.chain}' if certificate else ''}.")
        self._serving[granian] = task
        self._accepting = granian
        task.add_done_callback(lambda _: self._serving.pop(granian))
        task.add_done_callback(lambda _: granian.close())
        for one in earlier:
            # To stop it at once would cut off whoever has connected and not asked yet.
            one.accept(False)
        if certificate and not earlier:
            self._tasks.start("watch of open files", self._watch_files())
        if earlier:
            self._tasks.start("end of an earlier certificate", _end(earlier))

    def stop(self) -> None:
        """Accept nobody any more; each connection ends with the answer it waits for."""
        self._held.close()
        self._accepting = None
        for granian in self._serving:
            granian.stop()  # type: ignore[no-untyped-call]

    async def _watch_files(self) -> None:
        """Granian counts no connection before its TLS handshake, and without a file for the next one it would serve nobody."""
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
                # Granian hears of those who come from now on, not of those who came before.
                self._turn_away()
            if paused:
                spare.give()
                self._turn_away()
            await asyncio.sleep(WATCH_SECONDS)

    def _turn_away(self) -> None:
        """Close what waits to be accepted."""
        for _ in range(BACKLOG):
            try:
                self._held.accept()[0].close()
            except OSError:
                return  # nobody waits, or there is no file even for this

    async def ended(self, seconds: float) -> bool:
        """Wait for the last connection's end, at most so long; returns whether it came."""
        return not self._serving or not (await asyncio.wait(self._serving.values(), timeout=seconds))[1]


class _Granian(embed.Server):
    """Granian on a socket that is bound already.

    Attributes:
        begun: whether it serves; False when it refused its certificate.
    """

    def __init__(self, app: ASGIApp, held: socket.socket, **options: Any) -> None:
        super().__init__(app, **options)
        self.begun: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._held = held
        self._nobody = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._nobody.setblocking(False)

    def _init_shared_socket(self) -> None:
        self._held.setblocking(False)
        self._held.listen(BACKLOG)
        # What it is given it closes when it stops, so it gets a descriptor of its own.
        self._own = os.dup(self._held.fileno())
        # Linux wants the backlog once more.
        arguments = (self._own, False, BACKLOG) if sys.platform == "linux" else (self._own, False)
        self._shd: Any = SocketHolder(*arguments)

    def accept(self, whether: bool) -> None:
        """Take new connections, or leave them to others. Only while it serves: then the descriptor is its own."""
        os.dup2((self._held if whether else self._nobody).fileno(), self._own, inheritable=False)

    def close(self) -> None:
        """Once it has ended."""
        self._nobody.close()

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        # By then its worker has taken the first step, which is where it fails if it does.
        asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self.begun.set_result(self.wrks[0].is_alive())  # type: ignore[no-untyped-call]


async def _end(earlier: list[_Granian]) -> None:
    """By then whoever connected has asked, or was silent for too long."""
    await asyncio.sleep(HEAD_SECONDS * 2)
    for granian in earlier:
        granian.stop()  # type: ignore[no-untyped-call]


async def _run(granian: _Granian) -> None:
    """Raises what Granian died of, once it has begun."""
    # Its core panics with what is no Exception.
    died: BaseException | None
    (died,) = await asyncio.gather(granian.serve(), return_exceptions=True)
    if not granian.begun.done():
        granian.begun.set_result(False)
    if not granian.begun.result():
        log.error("Granian does not begin: %s", died)
    elif died is not None:
        raise died
    elif not granian.interrupt_signal:
        raise RuntimeError("it ended though nobody stopped it")


def _granian(app: ASGIApp, held: socket.socket, connections: int, certificate: Certificate | None) -> _Granian:
    """HTTP/1.1 alone: browsers speak HTTP/2 over TLS only, and Granian has no time limit for a half-sent HTTP/2 preface."""
    return _Granian(
        app,
        held,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000, max_buffer_size=BUFFER_BYTES),
        backlog=BACKLOG,
        # Connections, not requests: health checks must get in while all streams are open.
        backpressure=connections,
        websockets=False,
        log_enabled=False,
        ssl_cert=certificate and certificate.chain,
        ssl_key=certificate and certificate.key,
        ssl_protocol_min=SSLProtocols.tls12,
    )
