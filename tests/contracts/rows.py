"""Batches for `Batches.store` without a writer."""

from __future__ import annotations

import msgspec

from fechatter.model import Actor, ChatId, now_ms
from fechatter.storage import events
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.batch import Decided, MessageRows, Stored, StoreResult
from tests.native.reference import fingerprint, stored_key


class Sending(msgspec.Struct, frozen=True):
    """One row of a batch."""

    who: Actor
    chat_id: ChatId
    content: str = "hello"
    key: str | None = None
    thread_id: int = 0
    extras: str | None = None


def rows_of(sendings: list[Sending]) -> MessageRows:
    """Return the columns of a batch, n values each."""
    return MessageRows(
        list(range(len(sendings))),
        [each.who.workspace_id for each in sendings],
        [each.chat_id for each in sendings],
        [each.who.user_id for each in sendings],
        [each.content for each in sendings],
        [None if each.key is None else stored_key(each.key) for each in sendings],
        [fingerprint(each.content) for each in sendings],
        [each.thread_id for each in sendings],
        [each.extras for each in sendings],
    )


async def decided_now(database: Database, sendings: list[Sending]) -> dict[int, Decided]:
    """Return the current rights of each workspace."""
    workspaces = {each.who.workspace_id for each in sendings}

    async def work(tx: Transaction) -> dict[int, Decided]:
        found = {each: await events.heads(tx, each) for each in workspaces}
        return {each: Decided(heads.rights, heads.current_era) for each, heads in found.items()}

    return await database.read(work)


async def store(
    database: Database, sendings: list[Sending], decided_with: dict[int, Decided] | None = None
) -> StoreResult:
    """Store a batch on the writer's loop."""
    decided = decided_with or await decided_now(database, sendings)
    return await database.writer.call(lambda: database.batches.store(rows_of(sendings), decided, now_ms()))


def by_place(result: StoreResult) -> dict[int, tuple[int, int, int]]:
    """Return message id, chat number and event number of each stored row."""
    return {place: values for stored in result.stored for place, values in _values(stored)}


def _values(stored: Stored) -> list[tuple[int, tuple[int, int, int]]]:
    return list(zip(stored.rows, zip(stored.ids, stored.numbers, stored.sequences, strict=True), strict=True))


def repeats(result: StoreResult) -> list[int]:
    """Return the rows whose key was already stored."""
    return sorted(place for stored in result.stored for place in stored.repeats)
