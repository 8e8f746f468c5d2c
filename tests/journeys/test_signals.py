"""Signals over the socket: who sees that somebody types, and how far somebody has read."""

from __future__ import annotations

from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import ServerProcess


async def type_in(person: Client, chat_id: int) -> tuple[int, str]:
    """Report typing; return status and code of the response."""
    answer = await person.ask("POST", f"/api/chat/{chat_id}/typing")
    return answer.status, answer.code if answer.body else ""


async def test_typing_reaches_the_other_members_once_and_nobody_else(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carol = await colleague(ada), await colleague(ada)
    chat_id = (await ada.chat("private_channel", bob))["id"]
    inside, own, outside = await bob.listen(), await ada.listen(), await carol.listen()
    for _ in range(3):
        assert await type_in(ada, chat_id) == (204, "")
    await ada.send(chat_id, "done")
    shown = await inside.until("message.created")
    assert [event.name for event in shown] == ["typing.started", "message.created"]
    assert (shown[0].id, shown[0].data) == (
        None,
        {"chat_id": chat_id, "user_ids": [ada.id], "count": 1, "expires_in": 6},
    )
    assert [event.name for event in await own.until("message.created")] == ["message.created"]
    await ada.call("PATCH", "/api/workspace", {"name": f"House {ada.id}"})
    assert [event.name for event in await outside.until("workspace.updated")] == ["workspace.updated"]


async def test_only_people_who_may_send_may_type(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, guest, carol = await colleague(ada), await colleague(ada, "guest"), await colleague(ada)
    stranger = await owner(server)
    chat_id = (await ada.chat("public_channel"))["id"]
    await ada.post(f"/api/chat/{chat_id}/members", {"members": [bob.id, guest.id]})
    for person in (ada, bob, guest):
        assert await type_in(person, chat_id) == (204, "")
    for person in (carol, stranger):
        assert await type_in(person, chat_id) == (404, "not_found")
    stream = await guest.listen()
    for person in (guest, bob):
        await ada.call("DELETE", f"/api/chat/{chat_id}/members/{person.id}")
    await stream.until("member.left")
    assert await type_in(bob, chat_id) == (404, "not_found")
    await ada.post(f"/api/chat/{chat_id}/members", {"members": [carol.id]})
    assert await type_in(carol, chat_id) == (204, "")
    await ada.call("PATCH", f"/api/chat/{chat_id}", {"archived": True})
    assert await type_in(carol, chat_id) == (403, "chat_archived")
    await ada.call("DELETE", f"/api/chat/{chat_id}")
    assert await type_in(carol, chat_id) == (404, "not_found")
    await stream.quiet(0.3)


async def test_receipts_reach_the_other_members_unless_the_reader_does_not_send_them(server: ServerProcess) -> None:
    ada = await owner(server)
    bob, carol, outsider = [await colleague(ada) for _ in range(3)]
    chat_id = (await ada.chat("private_channel", bob, carol))["id"]
    for text in ("one", "two", "three"):
        await ada.send(chat_id, text)
    inside, own, outside = await ada.listen(), await bob.listen(), await outsider.listen()
    await carol.call("PATCH", "/api/users/me", {"sends_receipts": False})
    await carol.call("PUT", f"/api/chat/{chat_id}/read", {"number": 3})
    for number in (1, 2, 3):
        await bob.call("PUT", f"/api/chat/{chat_id}/read", {"number": number})
    shown = [event for event in await inside.until("receipt.moved") if event.name != "user.updated"]
    assert [(event.id, event.name) for event in shown] == [(None, "receipt.moved")] * len(shown)
    while shown[-1].data["last_read_number"] < 3:
        shown += await inside.until("receipt.moved")
    assert {event.data["user_id"] for event in shown} == {bob.id}
    await ada.call("PATCH", "/api/workspace", {"name": f"House {ada.id}"})
    assert {event.name for event in await own.until("workspace.updated")} == {
        *("user.updated", "read.moved", "workspace.updated")
    }
    assert [event.name for event in await outside.until("workspace.updated")] == ["user.updated", "workspace.updated"]
