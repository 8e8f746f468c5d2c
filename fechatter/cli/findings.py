"""The result of a check of `fechatter doctor`."""

import sqlite3
from pathlib import Path
from typing import NamedTuple

from fechatter.disk.troubles import explained

TIMEOUT_SECONDS = 5.0
CLOCK_SECONDS = 2.0
"""Smaller differences between clocks are ignored."""


class Finding(NamedTuple):
    """One line of the report; `remedy` is shown if it is not good."""

    subject: str
    good: bool
    state: str
    remedy: str = ""


def nearest_existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def unusable(subject: str, error: OSError | sqlite3.Error, path: Path) -> Finding:
    """Return the finding for a file or disk that cannot be read. That proves no damage; the remedy depends on the
    cause."""
    state, remedy = explained(error, path)
    return Finding(subject, False, state, f"{remedy[:1].upper()}{remedy[1:]}.")


def seconds_apart(there: float, before: float, after: float) -> float:
    """Return how far another clock is from this one, 0 within CLOCK_SECONDS; it was read between `before` and `after`.

    The time between `before` and `after` on a busy machine does not count as a difference.
    """
    apart = min(there - before, 0.0) + max(there - after, 0.0)
    return apart if abs(apart) > CLOCK_SECONDS else 0.0
