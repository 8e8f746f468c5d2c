"""Continues with the other rows of a batch after some of its rows fail.

An engine stores all rows of a workspace or none. If it refuses them because of one row's content, the two halves are
stored separately, and so on, until the refused row is alone. A decision that fails unexpectedly is divided in the same
way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from fechatter.errors import StorageError
from fechatter.storage.engines.batch import Stored, StoreResult
from fechatter.storage.engines.errors import RowRefused, StorageUnavailable, UniqueViolation

MAX_TRIES = 64
"""Maximum number of calls after the first. They find three refused rows among 256. If there are more, the rows that are
not stored by then fail, and their senders send them again."""

T = TypeVar("T")
StorePart = Callable[[list[int]], Awaitable[StoreResult]]
"""One call of the engine for some rows: it stores them, or decides them under the lock and stores them."""
Failures = list[tuple[list[int], Exception]]
"""Rows that failed, each list with its error."""


class Undecided(StorageError):
    """An unexpected error ended the decision about some rows. Nothing was stored; `reason` is the error.

    Attributes:
        groups: the rows, in the groups that are decided together.
    """

    def __init__(self, groups: list[list[int]]) -> None:
        super().__init__("the decision failed")
        self.groups = groups

    @property
    def reason(self) -> Exception:
        """The error that ended the decision."""
        return self.__cause__ if isinstance(self.__cause__, Exception) else self


@contextmanager
def deciding(groups: list[list[int]]) -> Iterator[None]:
    """Convert an error in the block to Undecided, because one of the groups may have caused it.

    Raises:
        Undecided: the rows of `groups` can be decided in smaller parts.
        StorageError: the database cannot be used, so no group can be decided.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, StorageError) and not isinstance(error, RowRefused):
            raise
        raise Undecided(groups) from error


async def decide_apart(decide: Callable[[list[int]], Awaitable[T]], rows: list[int]) -> tuple[list[T], Failures]:
    """Decide about rows, in smaller parts if the decision fails.

    Returns the decisions about all parts, and the rows that could not be decided. Raises StorageError.
    """
    decisions: list[T] = []
    failures: Failures = []
    waiting = [rows]
    for _ in range(1 + MAX_TRIES):
        if not waiting:
            break
        try:
            decisions.append(await decide(waiting.pop()))
        except Undecided as error:
            waiting += _halves(error.groups)
            if len(error.groups) == 1:
                failures.append((error.groups[0], error.reason))
    return decisions, failures + _too_many(waiting)


class Outcome(msgspec.Struct, frozen=True):
    """The result of storing rows.

    Attributes:
        stored, stale: see StoreResult.
        refused: the error of each row that the database would refuse again.
        failed: rows that may or may not be stored, with the error.
    """

    stored: list[Stored]
    stale: set[int]
    refused: dict[int, StorageError]
    failed: Failures


async def store_apart(store: StorePart, owners: Mapping[int, int], result: StoreResult) -> Outcome:
    """Store rows in parts after `store` returned `result` for all of them.

    Args:
        owners: the workspace of each row. A row is an index in the MessageBatch.
    """
    outcome = Outcome([], set(), {}, [])
    waiting = _record(outcome, owners, list(owners), result)
    for _ in range(MAX_TRIES):
        if not waiting:
            return outcome
        part = waiting.pop()
        waiting += _record(outcome, owners, part, await store(part))
    outcome.failed.extend(_too_many(waiting))
    return outcome


def _record(outcome: Outcome, owners: Mapping[int, int], part: list[int], result: StoreResult) -> list[list[int]]:
    """Add a result to the outcome; return the parts that must be stored separately, the last part first."""
    outcome.stored.extend(result.stored)
    outcome.stale.update(result.stale)
    suspects: list[tuple[list[int], StorageError]] = []
    for workspace_id, error in result.failed.items():
        own = [row for row in part if owners[row] == workspace_id]
        if isinstance(error, Undecided):
            suspects += [(group, error) for group in error.groups]
        elif isinstance(error, RowRefused | UniqueViolation):
            suspects += [([row], error) for row in own]
        else:
            outcome.failed.append((own, error))
    if len(suspects) == 1:
        ((rows, error),) = suspects
        if isinstance(error, Undecided):
            outcome.failed.append((rows, error.reason))
        else:
            outcome.refused[rows[0]] = error
    return _halves([rows for rows, _ in suspects])


def _halves(groups: list[list[int]]) -> list[list[int]]:
    """Divide the rows into two parts, the last part first. One group is not divided."""
    if len(groups) < 2:
        return []
    middle = len(groups) // 2
    return [sorted(row for group in half for row in group) for half in (groups[middle:], groups[:middle])]


def _too_many(parts: list[list[int]]) -> Failures:
    return [(rows, StorageUnavailable("too many rows are refused")) for rows in parts]
