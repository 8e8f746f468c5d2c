"""The age of rows. Clocks jump, so ages are judged in the order of the rows' numbers, never by a row's own time alone.

* A row dated in the future was nevertheless written before now, so its date is useless. Queries skip such rows
  (`created_at <= now`). They are as old as the rows that follow them and are removed together with those rows.
* Among the other rows, the first young row and all rows after it stay, whatever their dates are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from fechatter.storage.engines.base import Row


def old_prefix(rows: Sequence[Row], before_ms: int) -> list[Row]:
    """Return the rows before the first row that is not older than `before_ms`.

    `rows` must be in the order of their numbers, and none may be dated in the future.
    """
    return list(takewhile(lambda row: row["created_at"] < before_ms, rows))
