"""Groups the rows of a batch by session, chat and sender. The writer decides once per group instead of once per row."""

from __future__ import annotations

from collections.abc import Sequence

from fechatter.native import Column, MessageBatch

NUMPY_ROWS = 100
"""Minimum number of rows for which numpy searches for runs (docs/decisions/native-code.md). In smaller batches, its
fixed cost exceeds the cost of the whole work."""
ROWS_PER_RUN = 8
"""Runs are used as groups if they are longer than this on average. They are shorter if many people send at once."""


def group_rows(batch: MessageBatch, origins: Sequence[Sequence[int]], rows: list[int]) -> list[list[int]]:
    """Group `rows`, which are in ascending order; each group stays in this order.

    `origins` are the lists of sessions, chats and senders of the batch. Two groups may have the same origin.
    """
    if len(rows) >= NUMPY_ROWS:
        ends = _run_ends((batch.session_ids, batch.chat_ids, batch.sender_ids), rows, len(batch))
        if len(ends) * ROWS_PER_RUN < len(rows):
            return [rows[start:end] for start, end in zip([0, *ends], [*ends, len(rows)], strict=True)]
    sessions, chats, senders = origins
    groups: dict[tuple[int, int, int], list[int]] = {}
    for row in rows:
        groups.setdefault((sessions[row], chats[row], senders[row]), []).append(row)
    return list(groups.values())


def _run_ends(columns: Sequence[Column], rows: list[int], batch_rows: int) -> list[int]:
    """Return the indices in `rows` at which a column changes its value. Requests of 100 messages make long runs."""
    # A server that stores no large batches saves 12 MiB of memory and 0.1 s at its start.
    import numpy as np

    changed = np.zeros(len(rows) - 1, np.bool_)
    for column in columns:
        values = np.asarray(column)
        if len(rows) < batch_rows:
            values = values[rows]
        changed |= values[1:] != values[:-1]
    ends: list[int] = (np.flatnonzero(changed) + 1).tolist()
    return ends
