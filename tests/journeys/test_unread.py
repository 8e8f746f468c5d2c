"""Read marks and unread counts over HTTP and on the live stream."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.journeys.client import Client, colleague, owner, signed_in
from tests.journeys.replica import Replica
from tests.journeys.server import ServerProcess


async def _talk(server: ServerProcess, count: int) -> tuple[Client, Client, int]:
    """Ada has sent `count` messages to a private channel, and Bob has read none of them."""
    ada = await owner(server)
    bob = await colleague(ada)
    chat_id = (await ada.chat("private_channel", bob))["id"]
    for number in range(1, count + 1):
        await ada.send(chat_id, f"message {number}")
    return ada, bob, chat_id


async def _delete(ada: Client, chat_id: int, *numbers: int) -> None:
    shown = await ada.history(chat_id)
    for number in numbers:
        await ada.call("DELETE", f"/api/chat/{chat_id}/messages/{shown[number - 1]['id']}")


async def _counts(person: Client, chat_id: int) -> tuple[int, int, int]:
    """Return the mark, its revision and the unread count, which must be equal in every response."""
    names = ("last_read_number", "read_revision", "unread_count")
    (listed,) = [chat for chat in (await person.get("/api/sync"))["chats"] if chat["id"] == chat_id]
    shown: list[dict[str, Any]] = [
        listed,
        await person.get(f"/api/chat/{chat_id}"),
        await person.get(f"/api/chat/{chat_id}/unread"),
        *[chat for chat in (await person.get("/api/chat"))["items"] if chat["id"] == chat_id],
    ]
    (counts,) = {tuple(each[name] for name in names) for each in shown}
    return counts


async def test_deleting_all_unread_messages_leaves_nothing_unread(server: ServerProcess) -> None:
    ada, bob, chat_id = await _talk(server, 3)
    assert await _counts(bob, chat_id) == (0, 0, 3)
    await _delete(ada, chat_id, 1, 2, 3)
    assert await _counts(bob, chat_id) == (0, 0, 0)
    await ada.send(chat_id, "a fourth")
    assert await _counts(bob, chat_id) == (0, 0, 1)
    assert (await bob.get(f"/api/chat/{chat_id}/unread"))["first_unread_number"] == 4


async def test_deleting_own_or_read_messages_changes_no_count(server: ServerProcess) -> None:
    ada, bob, chat_id = await _talk(server, 2)
    await bob.send(chat_id, "mine, and so the others are read")
    await ada.send(chat_id, "the fourth")
    assert await _counts(bob, chat_id) == (3, 0, 1)
    await _delete(bob, chat_id, 3)
    await _delete(ada, chat_id, 1)
    assert await _counts(bob, chat_id) == (3, 0, 1)
    await _delete(ada, chat_id, 4)
    assert await _counts(bob, chat_id) == (3, 0, 0)


async def test_an_older_tab_does_not_undo_mark_as_unread(server: ServerProcess) -> None:
    _, bob, chat_id = await _talk(server, 4)
    path = f"/api/chat/{chat_id}"
    await bob.call("PUT", f"{path}/read", {"number": 4, "revision": 0})
    mark = await bob.post(f"{path}/unread", {"number": 2})
    assert (mark["last_read_number"], mark["revision"], mark["deleted_above"]) == (1, 1, 0)
    await bob.call("PUT", f"{path}/read", {"number": 4, "revision": 0})
    assert await _counts(bob, chat_id) == (1, 1, 3)
    await bob.call("PUT", f"{path}/read", {"number": 3, "revision": 1})
    assert await _counts(bob, chat_id) == (3, 1, 1)
    await bob.send(chat_id, "a send moves the mark within its revision")
    assert await _counts(bob, chat_id) == (5, 1, 0)


async def test_marks_on_missing_messages_are_refused(server: ServerProcess) -> None:
    ada, bob, chat_id = await _talk(server, 1)
    stranger, empty = await colleague(ada), (await ada.chat("private_channel", bob))["id"]
    for body in ({"number": 0}, {"number": 2}, {"number": -1}, {"number": "1"}, {"number": 1, "revision": 1}, {}):
        assert (await bob.ask("POST", f"/api/chat/{chat_id}/unread", body)).status == 422, body
    for body in ({"number": 1, "revision": 1}, {"number": 1, "revision": -1}, {"number": 1, "revision": "0"}):
        assert (await bob.ask("PUT", f"/api/chat/{chat_id}/read", body)).status == 422, body
    assert (await bob.ask("POST", f"/api/chat/{empty}/unread", {"number": 1})).status == 422
    assert (await stranger.ask("POST", f"/api/chat/{chat_id}/unread", {"number": 1})).status == 404
    assert (await stranger.ask("GET", f"/api/chat/{chat_id}/unread")).status == 404
    assert await _counts(bob, chat_id) == (0, 0, 1)


async def test_concurrent_marks_from_several_devices_end_in_a_state_of_one_of_their_orders(
    server: ServerProcess,
) -> None:
    _, bob, chat_id = await _talk(server, 9)
    path = f"/api/chat/{chat_id}"
    await asyncio.gather(
        *(bob.call("PUT", f"{path}/read", {"number": number, "revision": 0}) for number in range(1, 10)),
        *(bob.post(f"{path}/unread", {"number": number}) for number in (3, 5)),
    )
    mark, revision, unread = await _counts(bob, chat_id)
    assert (mark in (2, 4), revision, unread) == (True, 2, 9 - mark)


@pytest.mark.usefixtures("transport")
async def test_another_device_follows_marks_and_deletions_live_and_after_a_pause(server: ServerProcess) -> None:
    ada, bob, chat_id = await _talk(server, 6)
    live, away = await Replica.load(bob), await Replica.load(bob)
    phone = await signed_in(bob)
    stream = await bob.listen(live.cursor)
    await phone.call("PUT", f"/api/chat/{chat_id}/read", {"number": 5, "revision": 0})
    await _delete(ada, chat_id, 3, 6)
    await phone.post(f"/api/chat/{chat_id}/unread", {"number": 2})
    for _ in range(2):
        for event in await stream.until("read.moved"):
            await live.apply(event)
    for event in await (await bob.listen(away.cursor)).until("resumed"):
        await away.apply(event)
    fresh = (await Replica.load(bob)).snapshot()
    assert (live.snapshot(), away.snapshot()) == (fresh, fresh)
    assert await _counts(bob, chat_id) == (1, 1, 3)


@pytest.mark.usefixtures("transport")
async def test_the_signal_and_the_resumed_stream_carry_the_whole_mark(server: ServerProcess) -> None:
    ada, bob, chat_id = await _talk(server, 4)
    await _delete(ada, chat_id, 2, 3)
    cursor, stream = await bob.cursor(), await bob.listen()
    mark = await bob.post(f"/api/chat/{chat_id}/unread", {"number": 3})
    assert mark == {"chat_id": chat_id, "last_read_number": 2, "revision": 1, "deleted_above": 1, "seq": mark["seq"]}
    assert (await stream.until("read.moved"))[-1].data["data"]["read"] == mark
    await ada.send(chat_id, "a fifth")
    resumed = (await (await bob.listen(cursor)).until("resumed"))[-1]
    assert mark | {"seq": mark["seq"] + 1} in resumed.data["reads"]


@pytest.mark.usefixtures("transport")
async def test_a_person_who_returns_to_a_chat_has_nothing_unread_in_it(server: ServerProcess) -> None:
    ada, bob, chat_id = await _talk(server, 3)
    await bob.post(f"/api/chat/{chat_id}/unread", {"number": 2})
    await ada.call("DELETE", f"/api/chat/{chat_id}/members/{bob.id}")
    await ada.send(chat_id, "without Bob")
    stream = await bob.listen()
    await ada.post(f"/api/chat/{chat_id}/members", {"members": [bob.id]})
    joined = (await stream.until("member.joined"))[-1].data["data"]["chat"]
    assert (joined["last_read_number"], joined["read_revision"], joined["unread_count"]) == (4, 1, 0)
    assert await _counts(bob, chat_id) == (4, 1, 0)
