"""Writes log lines to a stream, but never waits long for the stream's reader.

Standard error may be a pipe whose reader has stopped. A write to a full pipe would block the whole server, so lines are
dropped and counted instead.
"""

from __future__ import annotations

import select
from typing import TextIO

PIECE_CHARACTERS = 1000
"""At most 4,000 bytes in UTF-8. That is less than PIPE_BUF, so a pipe that is ready accepts it without blocking."""
PATIENCE_SECONDS = 0.1
"""How long a write waits for the reader. After a wait in vain, writes do not wait until the reader reads again."""


class Outlet:
    """A stream to which whole lines are written.

    Attributes:
        dropped: lines that were not written completely.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._poll = _poll(stream)
        self._blocked = False
        self._is_incomplete = False
        self.dropped = 0

    def open(self) -> bool:
        """Return whether the stream accepts a write now."""
        if self._poll is None:
            return True
        # A stream with an error counts as ready; the write then raises the error.
        self._blocked = not self._poll.poll(0 if self._blocked else PATIENCE_SECONDS * 1000)
        return not self._blocked

    def write(self, line: str) -> None:
        """Write a line, passed without its newline, or drop it."""
        text = f"\n{line}\n" if self._is_incomplete else f"{line}\n"
        for start in range(0, len(text), PIECE_CHARACTERS):
            if not self.open():
                self._is_incomplete = self._is_incomplete or start > 0
                self.dropped += 1
                return
            self._stream.write(text[start : start + PIECE_CHARACTERS])
            self._stream.flush()
        self._is_incomplete = False


def _poll(stream: TextIO) -> select.poll | None:
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return None  # the stream is in memory
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return poll
