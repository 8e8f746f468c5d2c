"""Pages of a chat's history are compared with slices of a list."""

from __future__ import annotations

from functools import partial

import pytest

from fechatter.messages.history import MessagePage
from fechatter.model import ChatId
from fechatter.storage.engines.base import Database
from tests import history, world
from tests.contracts.rows import Sending, store

MANY = 9


async def filled(database: Database) -> ChatId:
    """Return a chat with messages 1 to MANY. Two other chats have messages too."""
    (alice,) = await world.people(database, "alice")
    chats = [await world.chat(database, alice) for _ in range(3)]
    await store(database, [Sending(alice, each) for _ in range(MANY) for each in chats])
    return chats[1]


def shown(page: MessagePage) -> tuple[list[int], bool, bool]:
    return [each.number for each in page.items], page.has_older, page.has_newer


def expected(found: list[int]) -> tuple[list[int], bool, bool]:
    """Return the expected page for `found`, which is not empty."""
    return found, found[-1] > 1, found[0] < MANY


@pytest.mark.parametrize("limit", [1, 4, MANY, 100])
async def test_the_latest_page_contains_the_newest_messages_in_descending_order(database: Database, limit: int) -> None:
    chat_id = await filled(database)
    page = await database.read(lambda tx: history.latest(tx, chat_id, limit))
    assert shown(page) == expected(list(range(MANY, 0, -1))[:limit])


async def test_pages_before_and_after_a_number_are_adjacent_to_it(database: Database) -> None:
    chat_id = await filled(database)
    there = range(MANY, 0, -1)
    for number in range(MANY + 3):
        for limit in (1, 3, 20):
            older = [each for each in there if each < number][:limit]
            page = await database.read(partial(history.before, chat_id=chat_id, number=number, limit=limit))
            assert shown(page) == (expected(older) if older else ([], False, True))
            newer = [each for each in there if each > number][-limit:]
            page = await database.read(partial(history.after, chat_id=chat_id, number=number, limit=limit))
            assert shown(page) == (expected(newer) if newer else ([], True, False))


async def test_a_page_around_a_number_contains_it_and_is_full_if_possible(database: Database) -> None:
    chat_id = await filled(database)
    for number in range(1, MANY + 1):
        for limit in range(1, MANY + 3):
            page = await database.read(
                lambda tx, number=number, limit=limit: history.around(tx, chat_id, number, limit)
            )  # type: ignore[misc]
            found = [each.number for each in page.items]
            assert number in found
            assert len(found) == min(limit, MANY)
            assert shown(page) == expected(list(range(found[0], found[-1] - 1, -1)))


async def test_every_page_of_an_empty_chat_is_empty(database: Database) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    pages = [
        await database.read(lambda tx: history.latest(tx, chat_id, 5)),
        await database.read(lambda tx: history.before(tx, chat_id, 5, 5)),
        await database.read(lambda tx: history.after(tx, chat_id, 0, 5)),
        await database.read(lambda tx: history.around(tx, chat_id, 5, 5)),
    ]
    assert [shown(page) for page in pages] == [([], False, False)] * 4
