"""A batch of messages as columns, and the result of storing it."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from fechatter.errors import StorageError


class MessageRows(msgspec.Struct):
    """Rows of one batch that may be stored, as columns of equal length, in the order of their numbers.

    Attributes:
        rows: each row's index in the MessageBatch.
        keys: stored idempotency keys, or None.
        thread_ids: 0 = the chat itself. The column is empty if no row has a thread.
        extras: JSON objects, or None. The column is empty if no row has extras.
    """

    rows: list[int]
    workspace_ids: list[int]
    chat_ids: list[int]
    sender_ids: list[int]
    contents: list[str]
    keys: list[bytes | None]
    fingerprints: list[int]
    thread_ids: list[int] = []
    extras: list[str | None] = []

    @property
    def timeline_ids(self) -> list[int]:
        """The timeline of each row: its thread, or its chat."""
        if not self.thread_ids:
            return self.chat_ids
        return [thread_id or chat_id for thread_id, chat_id in zip(self.thread_ids, self.chat_ids, strict=True)]

    def some(self, indices: list[int]) -> MessageRows:
        """Return the columns of the rows at these positions in the columns."""
        columns: list[list[Any]] = [getattr(self, name) for name in self.__struct_fields__]
        return MessageRows(*([column[index] for index in indices] if column else [] for column in columns))

    def only(self, rows: list[int]) -> MessageRows:
        """Return the columns of these rows, which are named by their indices in the MessageBatch."""
        if rows == self.rows:
            return self
        places = {row: index for index, row in enumerate(self.rows)}
        return self.some([places[row] for row in rows])


class Decided(NamedTuple):
    """The version of the rights, and the era, with which writes to a workspace were decided."""

    rights_seq: int
    era: str


class Stored(msgspec.Struct):
    """Rows that were stored, as columns of equal length.

    Attributes:
        era: the era of the event numbers.
        rows: each stored row's index in the MessageBatch.
        ids: message ids.
        numbers: message numbers in the timeline.
        sequences: event numbers in the workspace.
        repeats: indices in the MessageBatch of rows whose idempotency key was already stored.
    """

    era: str
    rows: list[int]
    ids: list[int]
    numbers: list[int]
    sequences: list[int]
    workspace_ids: list[int]
    chat_ids: list[int]
    repeats: list[int]


def nothing_stored(era: str) -> Stored:
    """Return the result of a batch without new rows."""
    return Stored(era, [], [], [], [], [], [], [])


class StoreResult(msgspec.Struct):
    """The result of `store` per workspace: its rows were stored, or it is `stale`, or all its rows `failed`."""

    stored: list[Stored]
    stale: set[int]
    failed: dict[int, StorageError]
