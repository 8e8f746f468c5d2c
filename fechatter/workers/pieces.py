"""Runs a part of upkeep in pieces, so that a workspace or a row that fails does not stop the others.

A piece is the work for one workspace, one chat or some rows. All parts of upkeep use this module. If pieces of a part
failed, the part ends with PartlyFailed. Then `/health` and the metrics show it, and the part is retried.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from fechatter.loops import SURVIVED, PartlyFailed
from fechatter.storage.engines.base import Database
from fechatter.telemetry.faults import describe_error

log = logging.getLogger(__name__)

MAX_FAILURES = 1000
"""After so many failures a run ends. Finding a failing row takes several transactions."""

T = TypeVar("T")


class Pieces:
    """The pieces of one run of a part; see `in_pieces`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._failures = 0
        self._first = ""

    async def run(self, name: str, work: Awaitable[T]) -> T | None:
        """Do the work of one piece; return None if it fails.

        Raises:
            StorageError: the database cannot be used, so the other pieces would fail too.
            PartlyFailed: too many pieces have failed.
        """
        try:
            return await work
        except Exception as error:  # noqa: BLE001  # the failed piece is recorded
            await self._check_database(error)
            self._record(name, error)
            return None

    async def rows(
        self, name: Callable[[T], str], rows: Sequence[T], work: Callable[[Sequence[T]], Awaitable[int]]
    ) -> tuple[int, list[T]]:
        """Do the work for all rows at once. If it fails, do it for each half, until the failing row is alone.

        Returns the sum of the results, and the failing rows. Raises like `run`.
        """
        done, failed, waiting = 0, list[T](), [rows]
        while waiting:
            some = waiting.pop()
            try:
                done += await work(some)
            except Exception as error:  # noqa: BLE001  # the failed row is recorded
                await self._check_database(error)
                if len(some) == 1:
                    failed.append(some[0])
                    self._record(name(some[0]), error)
                else:
                    middle = len(some) // 2
                    waiting += [some[middle:], some[:middle]]
        return done, failed

    async def _check_database(self, error: Exception) -> None:
        """Raises StorageError: the database cannot be used."""
        if not isinstance(error, SURVIVED):
            log.error("a piece of upkeep failed unexpectedly", exc_info=error)
        await self._database.check_writable()

    def _record(self, name: str, error: Exception) -> None:
        reason = f"{name}: {describe_error(error)}"
        log.warning("upkeep failed for %s", reason)
        self._first = self._first or reason
        self._failures += 1
        if self._failures == MAX_FAILURES:
            self.check()

    def check(self) -> None:
        """Raises PartlyFailed: pieces have failed."""
        if self._failures:
            raise PartlyFailed(f"{self._failures} failed, first {self._first}")


@asynccontextmanager
async def in_pieces(database: Database) -> AsyncIterator[Pieces]:
    """Run pieces in the block. Raises PartlyFailed at its end: some of them failed."""
    pieces = Pieces(database)
    yield pieces
    pieces.check()
