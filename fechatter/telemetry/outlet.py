"""Where the log's lines go: a stream that is asked before it is written to.

Standard error may be a pipe whose reader stands still. A write to a full one waits for ever, and the whole server with it; so lines are
lost instead, and counted.
"""

from __future__ import annotations

import select
from typing import TextIO

PIECE_CHARACTERS = 1000
"""In UTF-8 at most 4,000 bytes, less than PIPE_BUF: a pipe that takes anything takes so much without waiting."""
PATIENCE_SECONDS = 0.1
"""How long a reader that was quick enough so far is waited for."""


class Outlet:
    """
    Attributes:
        lost: lines that nobody took, whole or in part.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._poll = _poll(stream)
        self._blocked = False
        self._broken_off = False
        self.lost = 0

    def open(self) -> bool:
        """Whether it takes anything now."""
        if self._poll is None:
            return True
        # An error counts too: the write is told of it.
        self._blocked = not self._poll.poll(0 if self._blocked else PATIENCE_SECONDS * 1000)
        return not self._blocked

    def write(self, line: str) -> None:
        """Write a line, without its newline, or lose it."""
        text = f"\n{line}\n" if self._broken_off else f"{line}\n"
        for start in range(0, len(text), PIECE_CHARACTERS):
            if not self.open():
                self._broken_off = self._broken_off or start > 0
                self.lost += 1
                return
            self._stream.write(text[start : start + PIECE_CHARACTERS])
            self._stream.flush()
        self._broken_off = False


def _poll(stream: TextIO) -> select.poll | None:
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return None  # it is in memory
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return poll
