"""The result of a check of `fechatter doctor`."""

import sqlite3
from pathlib import Path
from typing import NamedTuple

from fechatter.disk.troubles import explained

TIMEOUT_SECONDS = 5.0
CLOCK_SECONDS = 2.0
"""Smaller differences between clocks are ignored."""


class Finding(NamedTuple):
    """One line of the report; `remedy` is shown unless the finding is `good`."""

    subject: str
    good: bool
    state: str
    remedy: str = ""


def nearest_existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def unusable(subject: str, error: OSError | sqlite3.Error, path: Path) -> Finding:
    """Return the finding for a file or disk that cannot be used; the remedy depends on the cause.

    The finding does not claim that the file is damaged.
    """
    state, remedy = explained(error, path)
    return Finding(subject, False, state, f"{remedy[:1].upper()}{remedy[1:]}.")


def seconds_apart(there: float, before: float, after: float) -> float:
    """Return the difference between another clock and this one, or 0 if it is at most CLOCK_SECONDS.

    The other clock was read between `before` and `after`. The time between these two does not count as a difference.
    """
    apart = min(there - before, 0.0) + max(there - after, 0.0)
    return apart if abs(apart) > CLOCK_SECONDS else 0.0
