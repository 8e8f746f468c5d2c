"""What a check of `fechatter doctor` answers, and where it looks."""

from pathlib import Path
from typing import NamedTuple

TIMEOUT_SECONDS = 5.0


class Finding(NamedTuple):
    """One line of the report; `remedy` is shown when it is not good."""

    subject: str
    good: bool
    state: str
    remedy: str = ""


def standing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
