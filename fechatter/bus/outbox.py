"""The frames and signals that wait to be sent to other nodes: bounded, and grouped by workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from fechatter.bus.wire import size_bytes
from fechatter.frames import Frame, Signal
from fechatter.queues import Queue

MAX_WAITING_BYTES = 8 << 20


def count(waiting: Mapping[int, Collection[object]]) -> int:
    """Return the number of frames or signals."""
    return sum(map(len, waiting.values()))


class Outbox:
    """`publish` fills it, and one sending task empties it; both run on the main loop."""

    def __init__(self) -> None:
        self._frames: dict[int, list[Frame]] = {}
        self._signals: dict[int, list[Signal]] = {}
        self._bytes = 0
        self._filled = asyncio.Event()

    def queues(self) -> list[Queue]:
        return [Queue("nats_outbox", MAX_WAITING_BYTES, "bytes", "other nodes read the log", lambda: self._bytes)]

    def put(self, frames: list[Frame], signals: list[Signal]) -> bool:
        """Add everything. If the outbox is full, add nothing and return False."""
        if self._bytes >= MAX_WAITING_BYTES:
            return False
        for frame in frames:
            self._frames.setdefault(frame.workspace_id, []).append(frame)
            self._bytes += size_bytes(frame)
        for signal in signals:
            self._signals.setdefault(signal.workspace_id, []).append(signal)
            self._bytes += size_bytes(signal)
        self._filled.set()
        return True

    def take(self) -> tuple[dict[int, list[Frame]], dict[int, list[Signal]]]:
        """Remove and return everything, by workspace, in the order of arrival."""
        taken = self._frames, self._signals
        self._frames, self._signals, self._bytes = {}, {}, 0
        self._filled.clear()
        return taken

    def wake(self) -> None:
        """End a `wait`, even if the outbox is empty."""
        self._filled.set()

    async def wait(self, seconds: float) -> None:
        """Return when the outbox has something, after a `wake`, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            return
