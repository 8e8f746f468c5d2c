"""The message writer: decides and stores whole batches, on a thread and loop of its own.

While one batch commits, the next one gathers in the intake. This is a group commit without a timer. For each batch, the
writer decides rights, finds repeats and draws numbers, and the engine stores the rows in one transaction. Then one call
to the main loop answers all senders and publishes the frames.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from fechatter.cache.responses import ResponseCache
from fechatter.errors import Conflict, Problem
from fechatter.messages import repeats
from fechatter.messages.batch_work import AllowedGroup, BatchWork, not_stored, oldest_decisions
from fechatter.messages.groups import group_rows
from fechatter.messages.permissions import Permissions
from fechatter.messages.publishing import WrittenBatch
from fechatter.messages.refused_rows import Failures, StorePart, decide_apart, deciding, store_apart
from fechatter.model import Extras, now_ms
from fechatter.native import Intake, MessageBatch
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.batch import Decided, MessageRows, StoreResult
from fechatter.storage.engines.errors import StorageUnavailable
from fechatter.telemetry.faults import describe_error
from fechatter.telemetry.measures import ROWS, Histogram

log = logging.getLogger(__name__)

T = TypeVar("T")

UNLOCKED_ROUNDS = 2
"""After this many rounds in which the rights changed, a batch is decided under the lock."""
MAX_ROUNDS = 20
"""If the era changes in each of this many rounds, the rest of the batch fails with `not_stored`."""


class Writer:
    """Takes batches from the intake until `stop`.

    Args:
        finish: called on the main loop with each written batch.
        extras_fields: the struct that the extras of messages must match.
        responses: learns of every event before its sender gets an answer.

    Attributes:
        stored: messages stored since the start.
        failed: batches in which at least one message could not be stored.
        failing: why a message of the last batch could not be stored; "" if all were stored.
        failed_at: monotonic time of the last failed batch.
        busy_since: monotonic time at which the current batch was taken; None between batches.
    """

    def __init__(
        self,
        intake: Intake,
        database: Database,
        finish: Callable[[WrittenBatch], None],
        extras_fields: type[Extras] = Extras,
        responses: ResponseCache | None = None,
    ) -> None:
        self._intake = intake
        self._responses = responses or ResponseCache()
        self._database = database
        self._permissions = Permissions(database)
        self._main_loop = asyncio.get_running_loop()
        self._finish = finish
        self._extras_fields = extras_fields
        self._ready = asyncio.Event()
        self._stopping = False
        self._ended = False
        self.stored = 0
        self.failed = 0
        self.failing = ""
        self.failed_at = -math.inf
        self.busy_since: float | None = None
        self.batch_rows = Histogram(ROWS)
        self.batch_seconds = Histogram()
        self.commit_seconds = Histogram()

    @property
    def waiting(self) -> int:
        """The number of messages in the intake."""
        return len(self._intake)

    def wake(self) -> None:
        """Start with a batch, because the intake is no longer empty. Runs on the main loop."""
        if self._ended:
            self.give_up()
        else:
            self._database.writer.run_soon(self._ready.set)

    def stop(self) -> None:
        """End once the intake is empty. Runs on the main loop."""
        self._stopping = True
        self.wake()

    def give_up(self) -> None:
        """Refuse all waiting and later messages, because `run` has ended. Runs on the main loop."""
        if not self._ended:
            self._ended = True
            self._main_loop.add_reader(self._intake.fileno(), self._woken_by_gateway, self.give_up)
        while (batch := self._intake.take()) is not None:
            self._finish(_given_up(batch))

    async def run(self) -> None:
        """Store batches until `stop` was called and the intake is empty. Runs on the writer's loop."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._intake.fileno(), self._woken_by_gateway, self._ready.set)
        try:
            await self._run()
        finally:
            loop.remove_reader(self._intake.fileno())

    def _woken_by_gateway(self, react: Callable[[], None]) -> None:
        self._intake.clear_wake()
        react()

    async def _run(self) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            while (batch := self._intake.take()) is not None:
                self.busy_since = began = time.monotonic()
                try:
                    written = await self._write(batch)
                except BaseException:
                    self._main_loop.call_soon_threadsafe(self._finish, _given_up(batch))
                    raise
                self._count(written, time.monotonic() - began)
                self._responses.passed(written.frames)
                # First, so that the main loop has published the frames when the next request of a sender arrives.
                self._main_loop.call_soon_threadsafe(self._finish, written)
                batch.answer_gateway(written.answers)
                # On SQLite, let other writes run between two batches.
                await asyncio.sleep(0)
            if self._stopping:
                return

    def _count(self, written: WrittenBatch, seconds: float) -> None:
        self.busy_since = None
        self.stored += len(written.frames)
        self.batch_rows.observe(len(written.tickets))
        self.batch_seconds.observe(seconds)

    async def _write(self, batch: MessageBatch) -> WrittenBatch:
        work = BatchWork(batch)
        try:
            await self._decide_and_store(work)
        except Exception as error:  # noqa: BLE001  # `fail` logs it
            work.fail(list(range(len(batch))), error)
        self._note(work.failure)
        return WrittenBatch(
            batch.tickets, [answer or not_stored() for answer in work.answers], work.frames, work.senders
        )

    def _note(self, failure: Exception | None) -> None:
        self.failing = "" if failure is None else describe_error(failure)
        if failure is not None:
            self.failed += 1
            self.failed_at = time.monotonic()

    async def _decide_and_store(self, work: BatchWork) -> None:
        todo, folded = repeats.fold(work.batch)
        if work.extras:
            todo = await self._check_extras(work, todo)
        for _ in range(UNLOCKED_ROUNDS):
            allowed = _joined(await self._apart(work, partial(self._decide, work), todo))
            stale = await self._store(work, allowed) if allowed else set()
            if not stale:
                break
            todo = sorted(row for workspace_id in stale for row in work.open_rows(allowed, workspace_id))
        for _ in range(MAX_ROUNDS):
            for workspace_id in sorted(stale):
                if not await self._store_locked(work, workspace_id, work.open_rows(allowed, workspace_id)):
                    stale = stale - {workspace_id}
            if not stale:
                break
        for workspace_id in sorted(stale):
            work.fail(
                work.open_rows(allowed, workspace_id),
                StorageUnavailable(f"the era changed in each of {MAX_ROUNDS} rounds"),
            )
        await self._answer_folded(work, folded)

    async def _apart(self, work: BatchWork, decide: Callable[[list[int]], Awaitable[T]], rows: list[int]) -> list[T]:
        decisions, failures = await decide_apart(decide, rows)
        _fail(work, failures)
        return decisions

    async def _check_extras(self, work: BatchWork, rows: list[int]) -> list[int]:
        """Return the rows whose extras are valid; answer the others."""

        async def check(part: list[int]) -> list[int]:
            with deciding([[row] for row in part]):
                return work.refuse_invalid_extras(part, self._extras_fields)

        return sorted(_joined(await self._apart(work, check, rows)))

    async def _decide(self, work: BatchWork, rows: list[int], tx: Transaction | None = None) -> list[AllowedGroup]:
        """Return the rows whose senders may write, in groups; answer the other rows."""
        groups = group_rows(work.batch, (work.sessions, work.chats, work.senders), rows)
        pairs = [(work.sessions[group[0]], work.chats[group[0]]) for group in groups]
        with deciding(groups):
            return work.refuse_forbidden(groups, await self._permissions.decide(pairs, tx))

    async def _store(self, work: BatchWork, allowed: list[AllowedGroup]) -> set[int]:
        """Store rows and answer them. Returns the workspaces whose unanswered rows must be decided again."""
        rows, decided_with, now = work.rows(allowed), oldest_decisions(allowed), now_ms()

        async def store(part: list[int]) -> StoreResult:
            some = rows.only(part)
            own = {workspace_id: decided_with[workspace_id] for workspace_id in dict.fromkeys(some.workspace_ids)}
            return await self._database.batches.store(some, own, now)

        return await self._store_all(work, store, dict(zip(rows.rows, rows.workspace_ids, strict=True)), now)

    async def _store_locked(self, work: BatchWork, workspace_id: int, todo: list[int]) -> set[int]:
        """Like `_store` for the rows of one workspace.

        The rows are decided under its lock, so that frequent changes of rights do not delay them.
        """
        now = now_ms()

        async def choose(part: list[int], tx: Transaction) -> tuple[MessageRows, Decided]:
            self._permissions.forget(workspace_id)
            allowed = await self._decide(work, part, tx)
            return work.rows(allowed), oldest_decisions(allowed).get(workspace_id, Decided(0, ""))

        async def store(part: list[int]) -> StoreResult:
            return await self._database.batches.store_locked(workspace_id, partial(choose, part), now)

        return await self._store_all(work, store, dict.fromkeys(todo, workspace_id), now)

    async def _store_all(self, work: BatchWork, store: StorePart, owners: dict[int, int], now: int) -> set[int]:
        """Store the rows, answer them, and return the workspaces like `_store`."""

        async def attempt(part: list[int]) -> StoreResult:
            try:
                return await store(part)
            except Exception as error:
                # The commit may have taken place, so these rows are not stored again.
                log.error("messages could not be stored", exc_info=error)
                unknown = StorageUnavailable(describe_error(error))
                return StoreResult([], set(), dict.fromkeys((owners[row] for row in part), unknown))

        began = time.monotonic()
        outcome = await store_apart(attempt, owners, await attempt(list(owners)))
        self.commit_seconds.observe(time.monotonic() - began)
        for stored in outcome.stored:
            work.accept(stored, now)
        for row, error in outcome.refused.items():
            work.refuse(row, error)
        _fail(work, outcome.failed)
        await self._answer_repeats(work, [row for stored in outcome.stored for row in stored.repeats])
        for workspace_id in outcome.stale:
            await self._permissions.renew(workspace_id)
        return outcome.stale

    async def _answer_repeats(self, work: BatchWork, rows: list[int]) -> None:
        async def answers(part: list[int]) -> None:
            with deciding([[row] for row in part]):
                for row, answer in (await repeats.answers(self._database, work.batch, part)).items():
                    work.answers[row] = answer

        if rows:
            await self._apart(work, answers, rows)

    async def _answer_folded(self, work: BatchWork, folded: dict[int, int]) -> None:
        """Answer repeats within the batch like their first message, unless their content differs."""
        others = []
        for row, first in folded.items():
            answer = work.answers[first]
            if isinstance(answer, tuple) and answer[0] == 201 and work.fingerprints[row] == work.fingerprints[first]:
                work.answers[row] = (200, answer[1])
            elif answer is None or (isinstance(answer, Problem) and not isinstance(answer, Conflict)):
                work.answers[row] = answer
            else:
                others.append(row)
        await self._answer_repeats(work, others)


def _joined(lists: list[list[T]]) -> list[T]:
    return [each for some in lists for each in some]


def _fail(work: BatchWork, failures: Failures) -> None:
    for rows, error in failures:
        work.fail(rows, error)


def _given_up(batch: MessageBatch) -> WrittenBatch:
    """Return the result of a batch that will not be stored."""
    return WrittenBatch(batch.tickets, [not_stored() for _ in batch.tickets], [], [])
