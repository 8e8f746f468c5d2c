"""`fechatter serve`: run the server until it is told to stop."""

from __future__ import annotations

import gc

import uvloop

from fechatter.server import Server
from fechatter.settings import Settings


def serve(settings: Settings) -> int:
    """Returns the exit code. Raises StartError."""

    async def run() -> int:
        server = Server(settings)
        # What is loaded by now stays for ever: the collector need not look at it again.
        gc.freeze()
        return await server.run()

    return uvloop.run(run())
