"""One batch while it is decided and stored: the answers, frames and refusals of its rows."""

from __future__ import annotations

import logging

import msgspec

from fechatter.errors import Invalid, Problem, StorageError, Unauthorized, Unavailable
from fechatter.events import EventType
from fechatter.frames import Frame
from fechatter.messages.extras import extras_problem
from fechatter.messages.publishing import Answer, request_id
from fechatter.model import Extras, WorkspaceId, timestamp
from fechatter.native import MessageBatch
from fechatter.rights import chats as rights
from fechatter.storage.engines.batch import Decided, MessageRows, Stored
from fechatter.storage.engines.errors import RowRefused, StorageFull
from fechatter.storage.rights import Writing
from fechatter.telemetry.faults import describe_error

log = logging.getLogger(__name__)


class AllowedGroup(msgspec.Struct, frozen=True):
    """Rows of one sender, session and chat that may be stored."""

    rows: list[int]
    verdict: Writing


class BatchWork:
    """One batch while it is decided and stored. A row is an index in the MessageBatch.

    Attributes:
        sessions, chats, senders, fingerprints: the batch's columns as lists.
        extras: the JSON of each row that has extras.
        answers: the answer for each row; None while the row is undecided.
        frames: the frames of the stored rows, in commit order.
        failure: why the last rows that failed could not be stored; None if none failed.
    """

    def __init__(self, batch: MessageBatch) -> None:
        self.batch = batch
        self.sessions = batch.session_ids.tolist()
        self.chats = batch.chat_ids.tolist()
        self.senders = batch.sender_ids.tolist()
        self.fingerprints = batch.fingerprints.tolist()
        threads = batch.thread_ids.tolist()
        self.extras = {row: extras.decode() for row, extras in batch.extras().items()}
        self._rows = MessageRows(
            list(range(len(batch))),
            [0] * len(batch),
            self.chats,
            self.senders,
            batch.contents(),
            batch.keys(),
            self.fingerprints,
            threads if any(threads) else [],
            [self.extras.get(row) for row in range(len(batch))] if self.extras else [],
        )
        self.answers: list[Answer | None] = [None] * len(batch)
        self.frames: list[Frame] = []
        self.failure: Exception | None = None

    def refuse_invalid_extras(self, rows: list[int], fields: type[Extras]) -> list[int]:
        """Answer the rows whose extras are invalid; return the others."""
        for row in self.extras.keys() & set(rows):
            self.answers[row] = extras_problem(self.extras[row], fields)
        return [row for row in rows if self.answers[row] is None]

    def refuse_forbidden(self, groups: list[list[int]], verdicts: list[Writing]) -> list[AllowedGroup]:
        """Answer the groups whose sender may not write; return the others."""
        allowed = []
        for rows, verdict in zip(groups, verdicts, strict=True):
            refusal = verdict.refusal_of(self.senders[rows[0]])
            if refusal is None:
                allowed.append(AllowedGroup(rows, verdict))
            else:
                for row in rows:
                    self.answers[row] = _refused(refusal)
        return allowed

    def rows(self, allowed: list[AllowedGroup]) -> MessageRows:
        """Return the columns of the allowed rows, in the form that the engine stores."""
        owners = {row: group.verdict.workspace_id for group in allowed for row in group.rows}
        places = sorted(owners)
        rows = self._rows if len(places) == len(self.batch) else self._rows.some(places)
        return msgspec.structs.replace(rows, workspace_ids=[owners[place] for place in places])

    def open_rows(self, allowed: list[AllowedGroup], workspace_id: int) -> list[int]:
        """Return the allowed rows of the workspace that have no answer yet."""
        groups = [group.rows for group in allowed if group.verdict.workspace_id == workspace_id]
        return sorted(row for rows in groups for row in rows if self.answers[row] is None)

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

    def refuse(self, row: int, error: StorageError) -> None:
        """Fail a row that the database would refuse again."""
        log.error(
            "a message was refused: %s",
            describe_error(error),
            extra={"requests": [request_id(self.batch.tickets[row])]},
        )
        self.answers[row] = _not_storable() if isinstance(error, RowRefused) else not_stored()

    def fail(self, rows: list[int], error: Exception) -> None:
        """Fail rows that may or may not be stored. Their senders can safely send them again with the same key."""
        rows = [row for row in rows if self.answers[row] is None]
        requests = [request_id(self.batch.tickets[row]) for row in rows]
        # One stack per batch is enough: a fault in the program may fail every row.
        stack = error if self.failure is None and not isinstance(error, StorageError) else None
        text, more = "%d messages were not stored: %s", {"requests": requests}
        log.error(text, len(rows), describe_error(error), exc_info=stack, extra=more)
        self.failure = error
        for row in rows:
            self.answers[row] = _disk_full() if isinstance(error, StorageFull) else not_stored()


def oldest_decisions(allowed: list[AllowedGroup]) -> dict[int, Decided]:
    """For each workspace, return the rights and the era of its oldest verdict. If that verdict is stale, the whole
    workspace is decided again."""
    decided_with: dict[int, Decided] = {}
    for verdict in (group.verdict for group in allowed):
        rights_seq, era = decided_with.get(verdict.workspace_id, Decided(verdict.rights_seq, verdict.era))
        # If two eras differ, one of them is over. No era has the name "", so the engine finds the workspace stale.
        decided_with[verdict.workspace_id] = Decided(
            min(rights_seq, verdict.rights_seq), era if era == verdict.era else ""
        )
    return decided_with


def _refused(code: str) -> Problem:
    if code == "unauthorized":
        return Unauthorized("The session has ended.", code="session_ended")
    return rights.problem(code)


def not_stored() -> Unavailable:
    """Return the refusal of a message that may be stored or not."""
    detail = "The message could not be stored. Send it again with the same idempotency key."
    return Unavailable(detail, code="not_stored")


def _not_storable() -> Invalid:
    return Invalid.field("/content", "not_storable", "The database cannot store this message.")


def _disk_full() -> Unavailable:
    detail = "The server's disk is full. The message was not stored."
    return Unavailable(detail, code="storage_full", retry_after_seconds=10)
