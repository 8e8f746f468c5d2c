"""Writes a live stream in a server without the gateway. Behind the gateway, native code does this."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fechatter.hub.listener import Listener, closing_block
from fechatter.hub.states import CloseReason
from fechatter.services import Services

LAST_WRITE_SECONDS = 1.0

Emit = Callable[[bytes, bool], Awaitable[None]]
"""Sends blocks to the client; true if they are the last."""


async def write(listener: Listener, found: Services, start: Callable[[], Awaitable[None]], emit: Emit) -> None:
    """Start the response, write until the listener is closed, then leave the hub. A blocked write is cancelled through
    `Listener.check_pace`."""
    task = asyncio.current_task()
    if task is not None:
        listener.on_abort(task.cancel)
    try:
        await start()
        while listener.closed is None:
            await found.hub.read_on(listener)
            await listener.wait(found.settings.heartbeat_seconds)
            waiting = listener.pending
            if block := listener.take() or found.hub.heartbeat(listener):
                found.watch.streams.wrote(waiting - listener.pending, len(block))
                await _write_block(listener, emit, block)
        if listener.closed is not CloseReason.GONE:
            await _write_last(listener, emit)
    except asyncio.CancelledError:
        if listener.closed is None:
            raise
    finally:
        found.watch.streams.closed[listener.closed or CloseReason.GONE] += 1
        found.hub.leave(listener)


async def _write_block(listener: Listener, emit: Emit, block: bytes) -> None:
    listener.write_started()
    await emit(block, False)
    listener.write_ended()


async def _write_last(listener: Listener, emit: Emit) -> None:
    """Send what still waits, then the reason, unless the client takes longer than a second to receive it."""
    block = listener.take() + closing_block(listener.closed or CloseReason.GONE)
    try:
        async with asyncio.timeout(LAST_WRITE_SECONDS):
            await emit(block, True)
    except TimeoutError:
        return
