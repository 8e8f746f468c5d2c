"""Receipts: how far the other members of a chat have read. Each is a signal to the chat, sent a second after it.

Moves of one person in one chat within that second become one signal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fechatter.frames import RECEIPT, Frame, Signal
from fechatter.queues import Queue

WAIT_SECONDS = 1.0
MAX_WAITING = 10_000

Publish = Callable[[list[Frame], list[Signal]], None]
CallLater = Callable[[float, Callable[[], None]], object]


class Receipts:
    """Passes what the database has committed to the publisher, and keeps receipts for a moment. Runs on the main loop.

    Args:
        publish: publishes frames and signals to all nodes.
        call_later: calls a function after some seconds.
    """

    def __init__(self, publish: Publish, call_later: CallLater | None = None) -> None:
        self._publish = publish
        self._call_later = call_later
        self._waiting: dict[tuple[int, int], Signal] = {}

    def queues(self) -> list[Queue]:
        return [Queue("receipts", MAX_WAITING, "people", "not shown to others", lambda: len(self._waiting))]

    def publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        """Publish what a transaction has committed. Receipts follow later."""
        now = []
        for signal in signals:
            if signal.kind == RECEIPT:
                self._keep(signal)
            else:
                now.append(signal)
        self._publish(frames, now)

    def _keep(self, signal: Signal) -> None:
        key = (signal.chat_id, signal.except_user_id)
        if key not in self._waiting and len(self._waiting) >= MAX_WAITING:
            return
        if not self._waiting:
            later = self._call_later or asyncio.get_running_loop().call_later
            later(WAIT_SECONDS, self._send)
        self._waiting[key] = signal

    def _send(self) -> None:
        signals, self._waiting = list(self._waiting.values()), {}
        self._publish([], signals)
