"""Passes each signal to its readers on this node: the listeners, and the parts of the server that keep track of it."""

from __future__ import annotations

from collections.abc import Callable

from fechatter.frames import PRESENCE, TYPING, Signal
from fechatter.signals.presence import Presence
from fechatter.signals.typing import Typing


class SignalRouter:
    """Receives the signals of this node and of the others. Runs on the main loop.

    Args:
        show: passes signals to the live listeners.
    """

    def __init__(self, show: Callable[[list[Signal]], None], typing: Typing, presence: Presence) -> None:
        self._show = show
        self._typing = typing
        self._presence = presence

    def receive(self, signals: list[Signal]) -> None:
        """Pass the signals on."""
        shown = []
        for signal in signals:
            if signal.kind == PRESENCE:
                self._presence.heard(signal)
                continue
            if signal.kind == TYPING:
                self._typing.heard(signal)
            shown.append(signal)
        self._show(shown)
