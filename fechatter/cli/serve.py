"""`fechatter serve`: runs the server until a signal stops it."""

from __future__ import annotations

import gc
from collections.abc import Callable

import uvloop

from fechatter.process.server import RunningServer
from fechatter.settings import Settings


def serve(settings: Settings, reread: Callable[[], Settings]) -> int:
    """Serve and return the exit code. `reread` returns the current settings. Raises StartError."""

    async def run() -> int:
        server = RunningServer(settings, reread, lambda: _examine(settings))
        # Objects loaded so far stay forever, so the collector need not examine them again.
        gc.freeze()
        return await server.run()

    return uvloop.run(run())


def _examine(settings: Settings) -> None:
    # Imported here so that the server starts sooner.
    from fechatter.cli.doctor import log_findings

    log_findings(settings)
