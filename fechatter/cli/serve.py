"""`fechatter serve`: run the server until it is told to stop."""

from __future__ import annotations

import gc
from collections.abc import Callable

import uvloop

from fechatter.process.server import RunningServer
from fechatter.settings import Settings


def serve(settings: Settings, reread: Callable[[], Settings]) -> int:
    """Returns the exit code; `reread` returns the settings as they are by now. Raises StartError."""

    async def run() -> int:
        server = RunningServer(settings, reread, lambda: _examine(settings))
        # What is loaded by now stays for ever: the collector need not look at it again.
        gc.freeze()
        return await server.run()

    return uvloop.run(run())


def _examine(settings: Settings) -> None:
    # Loaded only now: the server starts sooner.
    from fechatter.cli.doctor import log_findings

    log_findings(settings)
