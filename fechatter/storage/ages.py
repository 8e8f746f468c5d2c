"""How old rows are. Clocks jump, so ages are judged in the order of the rows' numbers, never by a row's own time alone.

* A row dated later than now proves nothing about its age, since it was written before now. Queries pass over such
  rows (`created_at <= now`). They are as old as the rows that follow them, and go together with those.
* Of the other rows, the first one that is young enough keeps everything that follows, whatever its date says.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from fechatter.storage.engines.base import Row


def old_prefix(rows: Sequence[Row], before_ms: int) -> list[Row]:
    """The rows before the first young one; `rows` are in the order of their numbers, none dated later than now."""
    return list(takewhile(lambda row: row["created_at"] < before_ms, rows))
