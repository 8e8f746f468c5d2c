"""Signals end a measurement only at the places where it waits.

If a signal could raise anywhere, it could raise after a server's process started and before the process was recorded.
That server would run for ever. So a signal raises only inside `allowed`; elsewhere it waits until the next `allowed`.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """One process's signals. Without `install` no signal is caught, and `allowed` does nothing."""

    def __init__(self) -> None:
        self._allowed = False
        self._arrived = False

    def install(self) -> None:
        """Catch the signals from now on. Call this on the main thread."""
        for number in SIGNALS:
            # A parent that ignores a signal (nohup) wants the measurement to ignore it too.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._arrive)

    def _arrive(self, _number: int, _frame: FrameType | None) -> None:
        self._arrived = True
        if self._allowed:
            raise KeyboardInterrupt

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Raise KeyboardInterrupt for a signal that arrives in the block, or that arrived before it."""
        try:
            self._allowed = True
            if self._arrived:
                raise KeyboardInterrupt
            yield
        finally:
            self._allowed = False
