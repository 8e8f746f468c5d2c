"""The message writer: decides and stores whole batches, on a thread and loop of its own.

While one batch commits, the next gathers in the intake: that is the group commit, without a timer. For each batch the writer asks who may,
what is new and which number; the engine stores it in one transaction; then all its senders are answered and its frames published with one
hand-over to the main loop.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable

import msgspec

from fechatter.errors import Conflict, Invalid, Problem, StorageError, Unauthorized, Unavailable
from fechatter.frames import Frame
from fechatter.messages import repeats, storing
from fechatter.messages.permissions import Permissions
from fechatter.model import EventType, WorkspaceId, now_ms, timestamp
from fechatter.native import Intake, MessageBatch
from fechatter.rights import chats as rights
from fechatter.storage.engines.base import Database, Decided, MessageRows, RowRefused, StorageFull, Stored
from fechatter.storage.rights import Writing
from fechatter.telemetry.faults import told
from fechatter.telemetry.measures import ROWS, Histogram

log = logging.getLogger(__name__)

MAX_ROUNDS = 20
"""Rights that change again in each of so many rounds are an attack or a fault: the rest of the batch is told to try again."""

Answer = tuple[int, bytes] | Problem
"""Status and JSON of the stored message, or the refusal."""


class Outcome(msgspec.Struct):
    """One batch's results for the main loop: each row's answer, and the frames in commit order."""

    tickets: list[tuple[asyncio.Future[Answer], str]]
    answers: list[Answer]
    frames: list[Frame]


class Writer:
    """Takes batches from the intake until `stop`.

    Args:
        deliver: called on the main loop, once a batch, with its Outcome.

    Attributes:
        stored: messages stored since the start.
        failed: batches of which something could not be stored.
        failing: why something of the last batch could not be stored; "" if all was stored.
        failed_at: when that was, by the clock that only grows.
        busy_since: when the batch that is being written was taken, by the clock that only grows; None between batches.
    """

    def __init__(self, intake: Intake, database: Database, deliver: Callable[[Outcome], None]) -> None:
        self._intake = intake
        self._database = database
        self._permissions = Permissions(database)
        self._main_loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._ready = asyncio.Event()
        self._stopping = False
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
        """How many messages wait to be taken."""
        return len(self._intake)

    def wake(self) -> None:
        """From any thread: the waiting batch is no longer empty."""
        self._database.writer.run_soon(self._ready.set)

    def stop(self) -> None:
        """From any thread: end once the intake is empty."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Runs on the writer's loop."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            while (batch := self._intake.take()) is not None:
                self.busy_since = began = time.monotonic()
                try:
                    outcome = await self._write(batch)
                except BaseException:
                    self._main_loop.call_soon_threadsafe(self._deliver, given_up(batch))
                    raise
                self._count(outcome, time.monotonic() - began)
                self._main_loop.call_soon_threadsafe(self._deliver, outcome)
                # Other writes (SQLite) have their turn between two batches.
                await asyncio.sleep(0)
            if self._stopping:
                return

    def _count(self, outcome: Outcome, seconds: float) -> None:
        self.busy_since = None
        self.stored += len(outcome.frames)
        self.batch_rows.observe(len(outcome.tickets))
        self.batch_seconds.observe(seconds)

    async def _write(self, batch: MessageBatch) -> Outcome:
        work = BatchWork(batch)
        try:
            await self._store(work)
        except Exception as error:
            log.error("a batch of %d messages could not be stored", len(batch), exc_info=error)
            work.fail(work.open_rows(), error)
        self._note(work.failure)
        return Outcome(batch.tickets, [answer or _not_stored() for answer in work.answers], work.frames)

    def _note(self, failure: Exception | None) -> None:
        self.failing = "" if failure is None else told(failure)
        if failure is not None:
            self.failed += 1
            self.failed_at = time.monotonic()

    async def _store(self, work: BatchWork) -> None:
        firsts, folded = repeats.fold(work.batch)
        todo = firsts
        for _ in range(MAX_ROUNDS):
            verdicts = await self._permissions.decide(work.sessions, work.chats, todo)
            refusals = {row: verdicts[row].refusal_of(work.senders[row]) for row in todo}
            allowed = [row for row in todo if refusals[row] is None]
            for row, refusal in refusals.items():
                if refusal is not None:
                    work.answers[row] = _refused(refusal)
            if not allowed:
                break
            rows = work.rows(allowed, [verdicts[row].workspace_id for row in allowed])
            now = now_ms()
            began = time.monotonic()
            result = await storing.store(self._database, rows, _oldest([verdicts[row] for row in allowed]), now)
            self.commit_seconds.observe(time.monotonic() - began)
            self._permissions.forget(result.stale)
            for stored in result.stored:
                work.accept(stored, now)
            await self._answer_repeats(work, [row for stored in result.stored for row in stored.repeats])
            for row, error in result.refused.items():
                work.refuse(row, error)
            left = [row for row in allowed if work.answers[row] is None]
            for workspace_id, error in result.failed.items():
                work.fail([row for row in left if verdicts[row].workspace_id == workspace_id], error)
            todo = [row for row in left if verdicts[row].workspace_id in result.stale]
            if not todo:
                break
        await self._answer_folded(work, folded)

    async def _answer_repeats(self, work: BatchWork, rows: list[int]) -> None:
        if rows:
            for row, answer in (await repeats.answers(self._database, work.batch, rows)).items():
                work.answers[row] = answer

    async def _answer_folded(self, work: BatchWork, folded: dict[int, int]) -> None:
        """Repeats within the batch: what their first one was answered, unless their content differs."""
        asked = []
        for row, first in folded.items():
            answer = work.answers[first]
            if isinstance(answer, tuple) and answer[0] == 201 and work.fingerprints[row] == work.fingerprints[first]:
                work.answers[row] = (200, answer[1])
            elif answer is None or (isinstance(answer, Problem) and not isinstance(answer, Conflict)):
                work.answers[row] = answer
            else:
                asked.append(row)
        await self._answer_repeats(work, asked)


def given_up(batch: MessageBatch) -> Outcome:
    """The outcome of a batch that nobody stores any more."""
    return Outcome(batch.tickets, [_not_stored() for _ in batch.tickets], [])


def _oldest(verdicts: list[Writing]) -> dict[int, Decided]:
    """For each workspace what its oldest verdict was made with: one that is too old spoils the batch."""
    decided_with: dict[int, Decided] = {}
    for verdict in verdicts:
        rights_seq, era = decided_with.get(verdict.workspace_id, Decided(verdict.rights_seq, verdict.era))
        # Of two eras one is over; no era is called "".
        decided_with[verdict.workspace_id] = Decided(min(rights_seq, verdict.rights_seq), era if era == verdict.era else "")
    return decided_with


class BatchWork:
    """One batch while it is decided and stored: its columns as lists, and what is known of each row."""

    def __init__(self, batch: MessageBatch) -> None:
        self.batch = batch
        self.sessions = batch.session_ids.tolist()
        self.chats = batch.chat_ids.tolist()
        self.senders = batch.sender_ids.tolist()
        self.fingerprints = batch.fingerprints.tolist()
        self._contents = batch.contents()
        self._keys = batch.keys()
        self.answers: list[Answer | None] = [None] * len(batch)
        self.frames: list[Frame] = []
        self.failure: Exception | None = None

    def rows(self, places: list[int], workspace_ids: list[int]) -> MessageRows:
        """The columns of some rows, as the engine stores them."""
        return MessageRows(
            places,
            workspace_ids,
            [self.chats[place] for place in places],
            [self.senders[place] for place in places],
            [self._contents[place] for place in places],
            [self._keys[place] for place in places],
            [self.fingerprints[place] for place in places],
        )

    def accept(self, stored: Stored, now: int) -> None:
        """Answers and frames, both encoded once, for what was stored."""
        answers, blocks = self.batch.encode(
            stored.rows, stored.ids, stored.numbers, stored.sequences, stored.workspace_ids, timestamp(now), stored.era
        )
        for row, answer in zip(stored.rows, answers, strict=True):
            self.answers[row] = (201, answer)
        self.frames += [
            Frame(WorkspaceId(workspace_id), seq, EventType.MESSAGE_CREATED, chat_id, None, block, era=stored.era)
            for workspace_id, seq, chat_id, block in zip(stored.workspace_ids, stored.sequences, stored.chat_ids, blocks, strict=True)
        ]

    def open_rows(self) -> list[int]:
        return [row for row, answer in enumerate(self.answers) if answer is None]

    def refuse(self, row: int, error: StorageError) -> None:
        """Fail a row that the database refuses now and would refuse again."""
        log.error("a message was refused: %s", told(error), extra={"requests": [self.batch.tickets[row][1]]})
        self.answers[row] = _not_storable() if isinstance(error, RowRefused) else _not_stored()

    def fail(self, rows: list[int], error: Exception) -> None:
        """Nothing of these rows is known to be stored; the same key makes sending them again safe."""
        full = isinstance(error, StorageFull)
        self.failure = error
        tickets = self.batch.tickets
        log.error("%d messages were not stored: %s", len(rows), told(error), extra={"requests": [tickets[row][1] for row in rows]})
        for row in rows:
            self.answers[row] = _disk_full() if full else _not_stored()


def _refused(code: str) -> Problem:
    if code == "unauthorized":
        return Unauthorized("The session has ended.", code="session_ended")
    return rights.problem(code)


def _not_stored() -> Unavailable:
    return Unavailable("The message could not be stored; send it again with the same idempotency key.", code="not_stored")


def _not_storable() -> Invalid:
    return Invalid.field("/content", "not_storable", "The database cannot store this message.")


def _disk_full() -> Unavailable:
    return Unavailable("The server's disk is full; nothing of this message was kept.", code="storage_full", retry_after_seconds=10)
