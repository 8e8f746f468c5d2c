"""`fechatter gateway`: runs only the gateway, in front of other servers."""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections.abc import Callable

from fechatter.gateway.alone import read_key
from fechatter.gateway.plan import Plan, read_plan
from fechatter.process.gateway import RunningGateway
from fechatter.settings import Settings


def gateway(settings: Settings, options: argparse.Namespace, reread: Callable[[], Settings]) -> int:
    """Serve and return the exit code. `reread` returns the current settings. Raises StartError."""

    def plan() -> Plan:
        return read_plan(options.routes, options.upstream, options.route, options.deny)

    async def run() -> int:
        running = RunningGateway(settings, plan, reread, read_key(settings, options.token_key_file))
        # Objects loaded so far stay forever, so the collector need not examine them again.
        gc.freeze()
        return await running.run(options.inspection)

    # uvloop would need more memory, and almost nothing runs on this loop.
    return asyncio.run(run())
