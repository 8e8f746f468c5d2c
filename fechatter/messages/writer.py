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
from collections.abc import Callable

from fechatter.errors import Conflict, Invalid, Problem, StorageError, Unauthorized, Unavailable
from fechatter.events import EventType
from fechatter.frames import Frame
from fechatter.messages import repeats
from fechatter.messages.extras import extras_problem
from fechatter.messages.permissions import Permissions
from fechatter.messages.publishing import Answer, WrittenBatch
from fechatter.messages.refused_rows import store_apart
from fechatter.model import Extras, WorkspaceId, now_ms, timestamp
from fechatter.native import Intake, MessageBatch
from fechatter.rights import chats as rights
from fechatter.storage.engines.base import Database
from fechatter.storage.engines.batch import Decided, MessageRows, Stored, StoreResult
from fechatter.storage.engines.errors import RowRefused, StorageFull
from fechatter.storage.rights import Writing
from fechatter.telemetry.faults import describe_error
from fechatter.telemetry.measures import ROWS, Histogram

log = logging.getLogger(__name__)

MAX_ROUNDS = 20
"""If rights change again in each of so many rounds, the rest of the batch fails with `not_stored`."""


class Writer:
    """Takes batches from the intake until `stop`.

    Args:
        finish: called on the main loop with each written batch.
        extras_fields: the struct that the extras of messages must match.

    Attributes:
        stored: messages stored since the start.
        failed: batches of which something could not be stored.
        failing: why something of the last batch could not be stored; "" if all was stored.
        failed_at: monotonic time of the last failed batch.
        busy_since: monotonic time at which the current batch was taken; None between batches.
    """

    def __init__(
        self,
        intake: Intake,
        database: Database,
        finish: Callable[[WrittenBatch], None],
        extras_fields: type[Extras] = Extras,
    ) -> None:
        self._intake = intake
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
        """Start on a batch, because the intake is no longer empty. Runs on the main loop."""
        if self._ended:
            self.give_up()
        else:
            self._database.writer.run_soon(self._ready.set)

    def stop(self) -> None:
        """End once the intake is empty. Runs on the main loop."""
        self._stopping = True
        self.wake()

    def give_up(self) -> None:
        """Refuse what waits, and every later message, because `run` has ended. Runs on the main loop."""
        self._ended = True
        while (batch := self._intake.take()) is not None:
            self._finish(_given_up(batch))

    async def run(self) -> None:
        """Runs on the writer's loop."""
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
                self._main_loop.call_soon_threadsafe(self._finish, written)
                # On SQLite, other writes run between two batches.
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
        except Exception as error:
            log.error("a batch of %d messages could not be stored", len(batch), exc_info=error)
            work.fail(work.open_rows(), error)
        self._note(work.failure)
        return WrittenBatch(batch.tickets, [answer or _not_stored() for answer in work.answers], work.frames)

    def _note(self, failure: Exception | None) -> None:
        self.failing = "" if failure is None else describe_error(failure)
        if failure is not None:
            self.failed += 1
            self.failed_at = time.monotonic()

    async def _decide_and_store(self, work: BatchWork) -> None:
        todo, folded = repeats.fold(work.batch)
        if work.extras:
            todo = work.refuse_invalid_extras(todo, self._extras_fields)
        for _ in range(MAX_ROUNDS):
            verdicts = await self._permissions.decide(work.sessions, work.chats, todo)
            allowed = work.refuse_forbidden(verdicts)
            if not allowed:
                break
            stale = await self._store(work, {row: verdicts[row] for row in allowed})
            todo = [row for row in allowed if work.answers[row] is None and verdicts[row].workspace_id in stale]
            if not todo:
                break
        await self._answer_folded(work, folded)

    async def _store(self, work: BatchWork, verdicts: dict[int, Writing]) -> set[int]:
        """Store rows and answer them. Returns the workspaces whose unanswered rows must be decided again."""
        rows = work.rows(verdicts)
        decided_with, now, began = _oldest(verdicts), now_ms(), time.monotonic()
        refused: dict[int, StorageError] = {}
        result = await self._database.store(rows, decided_with, now)
        if result.failed:
            result, refused = await store_apart(self._database, rows, decided_with, now, result)
        self.commit_seconds.observe(time.monotonic() - began)
        self._permissions.forget(result.stale)
        await self._answer_stored(work, result, now)
        for row, error in refused.items():
            work.refuse(row, error)
        for workspace_id, error in result.failed.items():
            work.fail([row for row in verdicts if verdicts[row].workspace_id == workspace_id], error)
        return result.stale

    async def _answer_stored(self, work: BatchWork, result: StoreResult, now: int) -> None:
        for stored in result.stored:
            work.accept(stored, now)
        await self._answer_repeats(work, [row for stored in result.stored for row in stored.repeats])

    async def _answer_repeats(self, work: BatchWork, rows: list[int]) -> None:
        if rows:
            for row, answer in (await repeats.answers(self._database, work.batch, rows)).items():
                work.answers[row] = answer

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


def _given_up(batch: MessageBatch) -> WrittenBatch:
    """The result of a batch that nobody will store."""
    return WrittenBatch(batch.tickets, [_not_stored() for _ in batch.tickets], [])


def _oldest(verdicts: dict[int, Writing]) -> dict[int, Decided]:
    """For each workspace, return the rights and the era of its oldest verdict. If this verdict is too old, so is the
    batch."""
    decided_with: dict[int, Decided] = {}
    for verdict in verdicts.values():
        rights_seq, era = decided_with.get(verdict.workspace_id, Decided(verdict.rights_seq, verdict.era))
        # If two eras differ, one of them is over. No era has the name "", so the engine finds the workspace stale.
        decided_with[verdict.workspace_id] = Decided(min(rights_seq, verdict.rights_seq), era if era == verdict.era else "")
    return decided_with


class BatchWork:
    """One batch while it is decided and stored: its columns as lists, and the answer for each row."""

    def __init__(self, batch: MessageBatch) -> None:
        self.batch = batch
        self.sessions = batch.session_ids.tolist()
        self.chats = batch.chat_ids.tolist()
        self.senders = batch.sender_ids.tolist()
        self.fingerprints = batch.fingerprints.tolist()
        self._contents = batch.contents()
        self._keys = batch.keys()
        self._threads = batch.thread_ids.tolist()
        self.extras = {row: extras.decode() for row, extras in batch.extras().items()}
        self.answers: list[Answer | None] = [None] * len(batch)
        self.frames: list[Frame] = []
        self.failure: Exception | None = None

    def refuse_invalid_extras(self, rows: list[int], fields: type[Extras]) -> list[int]:
        """Answer the rows whose extras are invalid; return the others."""
        for row in self.extras.keys() & set(rows):
            self.answers[row] = extras_problem(self.extras[row], fields)
        return [row for row in rows if self.answers[row] is None]

    def refuse_forbidden(self, verdicts: dict[int, Writing]) -> list[int]:
        """Answer the rows whose sender may not write; return the others."""
        allowed = []
        for row, verdict in verdicts.items():
            refusal = verdict.refusal_of(self.senders[row])
            if refusal is None:
                allowed.append(row)
            else:
                self.answers[row] = _refused(refusal)
        return allowed

    def rows(self, verdicts: dict[int, Writing]) -> MessageRows:
        """Return the columns of some rows, as the engine stores them."""
        places = list(verdicts)
        return MessageRows(
            places,
            [verdict.workspace_id for verdict in verdicts.values()],
            [self.chats[place] for place in places],
            [self.senders[place] for place in places],
            [self._contents[place] for place in places],
            [self._keys[place] for place in places],
            [self.fingerprints[place] for place in places],
            [self._threads[place] for place in places] if any(self._threads) else [],
            [self.extras.get(place) for place in places] if self.extras else [],
        )

    def accept(self, stored: Stored, now: int) -> None:
        """Encode the answers and the frames of stored rows, each once."""
        answers, blocks = self.batch.encode(
            stored.rows, stored.ids, stored.numbers, stored.sequences, stored.workspace_ids, timestamp(now), stored.era
        )
        for row, answer in zip(stored.rows, answers, strict=True):
            self.answers[row] = (201, answer)
        columns = zip(stored.workspace_ids, stored.sequences, stored.chat_ids, blocks, strict=True)
        self.frames += [
            Frame(WorkspaceId(workspace_id), seq, EventType.MESSAGE_CREATED, chat_id, None, block, era=stored.era)
            for workspace_id, seq, chat_id, block in columns
        ]

    def open_rows(self) -> list[int]:
        return [row for row, answer in enumerate(self.answers) if answer is None]

    def refuse(self, row: int, error: StorageError) -> None:
        """Fail a row that the database would refuse again."""
        log.error("a message was refused: %s", describe_error(error), extra={"requests": [self.batch.tickets[row][1]]})
        self.answers[row] = _not_storable() if isinstance(error, RowRefused) else _not_stored()

    def fail(self, rows: list[int], error: Exception) -> None:
        """Fail rows that may be stored or not. Their senders can safely repeat them with the same key."""
        rows = [row for row in rows if self.answers[row] is None]
        self.failure = error
        requests = [self.batch.tickets[row][1] for row in rows]
        log.error("%d messages were not stored: %s", len(rows), describe_error(error), extra={"requests": requests})
        for row in rows:
            self.answers[row] = _disk_full() if isinstance(error, StorageFull) else _not_stored()


def _refused(code: str) -> Problem:
    if code == "unauthorized":
        return Unauthorized("The session has ended.", code="session_ended")
    return rights.problem(code)


def _not_stored() -> Unavailable:
    detail = "The message could not be stored. Send it again with the same idempotency key."
    return Unavailable(detail, code="not_stored")


def _not_storable() -> Invalid:
    return Invalid.field("/content", "not_storable", "The database cannot store this message.")


def _disk_full() -> Unavailable:
    detail = "The server's disk is full. The message was not stored."
    return Unavailable(detail, code="storage_full", retry_after_seconds=10)
