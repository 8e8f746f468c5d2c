"""The contract of `/events`: how a stream begins, continues and ends."""

from __future__ import annotations

import asyncio

import pytest

from tests.journeys.client import Client, colleague, owner, signed_in
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Refused, Stream
from tests.servers.process import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("transport")


async def test_hello_contains_the_position_and_the_session(server: ServerProcess) -> None:
    ada = await owner(server)
    stream = await Stream.open(server.port, ada.token)
    hello = await stream.next()
    epoch, _, seq = (await ada.cursor()).rpartition(".")
    assert hello.name == "hello"
    assert hello.id == f"{epoch}.{seq}"
    assert hello.data == {
        "epoch": epoch,
        "head": int(seq),
        "heartbeat_seconds": 1,
        "session_id": hello.data["session_id"],
    }
    assert hello.data["session_id"] in [session["id"] for session in (await ada.get("/api/sessions"))["items"]]


async def test_an_event_contains_its_number_its_type_and_the_message(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = await ada.chat("public_channel")
    stream = await ada.listen()
    message = await ada.send(chat["id"], "hello", key="1")
    event = await stream.next()
    assert message.pop("idempotency_key") == "1"
    assert event.name == "message.created"
    assert event.id == await ada.cursor()
    assert event.data == {
        "type": "message.created",
        "seq": event.seq,
        "workspace_id": ada.workspace_id,
        "chat_id": chat["id"],
        "at": message["created_at"],
        "data": {"message": message},
    }


async def test_heartbeats_advance_the_cursor_of_an_idle_stream(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    chat = await ada.chat("private_channel")
    stream = await bob.listen()
    before = stream.cursor
    await ada.send(chat["id"], "not for Bob")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (event := await stream.block()).id == before:
            assert event.name is None
    assert (event.name, event.data) == (None, None)
    assert stream.cursor == await bob.cursor()


async def test_a_resumed_stream_sends_missed_events_and_read_marks(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = await ada.chat("public_channel")
    await ada.send(chat["id"], "one")
    cursor = await ada.cursor()
    missed = [await ada.send(chat["id"], text) for text in ("two", "three")]
    stream = await ada.listen(cursor)
    hello, first, second, resumed = await stream.until("resumed")
    assert hello.id == cursor
    assert [event.data["data"]["message"] for event in (first, second)] == missed
    here = await ada.cursor()
    assert resumed.id == here
    read = {
        "chat_id": chat["id"],
        "last_read_number": 3,
        "revision": 0,
        "deleted_above": 0,
        "seq": int(here.rpartition(".")[2]),
    }
    reads = {each["chat_id"]: each for each in resumed.data["reads"]}
    assert resumed.data == {"from": cursor, "to": here, "reads": list(reads.values())}
    assert reads[chat["id"]] == read
    assert set(reads) == {each["id"] for each in (await ada.get("/api/sync"))["chats"]}


async def test_a_cursor_can_be_sent_in_the_query(server: ServerProcess) -> None:
    ada = await owner(server)
    cursor = await ada.cursor()
    chat = await ada.chat("public_channel")
    stream = await Stream.open(server.port, ada.token, query=f"?last_event_id={cursor}")
    assert [event.name for event in await stream.until("resumed")] == ["hello", "member.joined", "resumed"]
    [event] = await ada.events(cursor)
    assert event["chat_id"] == chat["id"]


@pytest.mark.parametrize("wrong", ["epoch", "ahead"])
async def test_an_unusable_cursor_gets_reset_and_the_stream_continues_live(server: ServerProcess, wrong: str) -> None:
    ada = await owner(server)
    chat = await ada.chat("public_channel")
    here = await ada.cursor()
    epoch, _, seq = here.rpartition(".")
    cursor = f"another.{seq}" if wrong == "epoch" else f"{epoch}.{int(seq) + 1}"
    stream = await ada.listen(cursor)
    hello, reset = await stream.until("reset")
    assert hello.id is None
    assert reset.id == here
    assert reset.data == {"reason": wrong, "epoch": epoch, "head": int(seq)}
    polled = await ada.ask("GET", f"/api/events?after={cursor}")
    assert (polled.status, polled.code) == (410, "reset")
    assert reset.data.items() <= polled.json.items()
    message = await ada.send(chat["id"], "hello")
    assert (await stream.next()).data["data"]["message"] == message


async def test_a_replay_over_the_limit_is_reset(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = await ada.chat("public_channel")
    cursor = await ada.cursor()
    batch = {"messages": [{"content": str(number)} for number in range(100)]}
    for _ in range(10):
        await ada.post(f"/api/chat/{chat['id']}/messages/batch", batch)
    replay = await (await ada.listen(cursor)).until("resumed")
    assert len(replay) == 1_002
    await ada.send(chat["id"], "one too many")
    [_, reset] = await (await ada.listen(cursor)).until("reset")
    assert (reset.data["reason"], reset.id) == ("too_many", await ada.cursor())


@pytest.mark.parametrize(
    "cursor", ["nonsense", "1", ".1", "epoch.-1", "epoch.1x", "e.99999999999999999999", "x" * 99 + ".1"]
)
async def test_invalid_cursors_are_refused(server: ServerProcess, cursor: str) -> None:
    ada = await owner(server)
    with pytest.raises(Refused) as refused:
        await Stream.open(server.port, ada.token, cursor)
    assert refused.value.answer.status == 422
    [error] = refused.value.answer.json["errors"]
    assert (error["pointer"], error["code"]) == ("Last-Event-ID", "invalid_cursor")
    asked = await ada.ask("GET", f"/events?last_event_id={cursor}")
    assert (asked.status, asked.json["errors"][0]["pointer"]) == (422, "?last_event_id")
    assert (await ada.ask("GET", f"/api/events?after={cursor}")).status == 422


@pytest.mark.parametrize("token", [None, "", "nonsense", "a.b.c"])
async def test_a_stream_requires_a_token_in_the_header(server: ServerProcess, token: str | None) -> None:
    with pytest.raises(Refused) as refused:
        await Stream.open(server.port, token)
    assert refused.value.answer.status == 401
    assert "www-authenticate" in refused.value.answer.headers


@pytest.mark.parametrize("name", ["access_token", "token", "ticket", "authorization"])
async def test_a_token_in_the_query_is_refused(server: ServerProcess, name: str) -> None:
    ada = await owner(server)
    answer = await Client(server).ask("GET", f"/events?{name}={ada.token}")
    assert answer.status == 401
    assert ada.token is not None
    assert ada.token not in server.output


async def test_a_log_out_ends_only_the_streams_of_its_session(server: ServerProcess) -> None:
    ada = await owner(server)
    phone = await signed_in(ada)
    ended, kept = await phone.listen(), await ada.listen()
    await phone.post("/api/logout")
    [last] = await ended.rest()
    assert (last.name, last.data["reason"]) == ("closing", "revoked")
    await kept.quiet(0.3)
    with pytest.raises(Refused) as refused:
        await Stream.open(server.port, phone.token)
    assert refused.value.answer.status == 401


async def test_ending_a_session_from_another_device_ends_its_streams(server: ServerProcess) -> None:
    ada = await owner(server)
    phone = await signed_in(ada)
    stream = await Stream.open(server.port, phone.token)
    hello = await stream.next()
    await ada.call("DELETE", f"/api/sessions/{hello.data['session_id']}")
    [last] = await stream.rest()
    assert (last.name, last.data["reason"]) == ("closing", "revoked")


async def test_a_disabled_person_receives_nothing_more_on_an_open_stream(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    chat = await ada.chat("private_channel", bob)
    stream = await bob.listen()
    await ada.call("PATCH", f"/api/users/{bob.id}", {"disabled": True})
    await ada.send(chat["id"], "Bob is gone")
    events = await stream.rest()
    assert events[-1].data == {"reason": "revoked"}
    assert "message.created" not in [event.name for event in events]


async def test_a_removed_member_receives_the_removal_and_nothing_afterwards(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    chat = await ada.chat("private_channel", bob)
    stream = await bob.listen()
    cursor = stream.cursor
    await ada.send(chat["id"], "with Bob")
    await ada.call("DELETE", f"/api/chat/{chat['id']}/members/{bob.id}")
    await ada.send(chat["id"], "without Bob")
    seen = await stream.until("member.left")
    assert [event.name for event in seen] == ["message.created", "member.left"]
    await stream.quiet(0.5)
    replay = await (await bob.listen(cursor)).until("resumed")
    assert [event.name for event in replay] == ["hello", "member.left", "resumed"]
    back = await ada.call("POST", f"/api/chat/{chat['id']}/members", {"members": [bob.id]})
    assert [member["user_id"] for member in back["items"]] == [bob.id]
    rejoined = await stream.next()
    assert rejoined.name == "member.joined"
    assert rejoined.data["data"]["chat"]["last_message"]["content"] == "without Bob"


async def test_message_texts_cannot_break_the_framing(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = await ada.chat("public_channel", description="a\n\ndata: {}\n\nid: x.9")
    stream = await ada.listen()
    evil = "a\r\n\r\nid: x.1\nevent: reset\rdata: {}\n\n\u2028\u2029 b"
    message = await ada.send(chat["id"], evil)
    await ada.call("PATCH", f"/api/chat/{chat['id']}", {"description": "\n\nevent: closing\n\n"})
    sent, changed = await stream.until("chat.updated")
    assert sent.data["data"]["message"] == message
    assert message["content"] == evil
    assert changed.data["data"]["chat"]["description"] == "\n\nevent: closing\n\n"
    replay = await (await ada.listen(await ada.cursor())).until("resumed")
    assert len(replay) == 2


async def test_read_marks_reach_the_persons_other_devices_only(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    chat = await ada.chat("private_channel", bob)
    await ada.send(chat["id"], "hello")
    phone, other = await bob.listen(), await ada.listen()
    await bob.call("PUT", f"/api/chat/{chat['id']}/read", {"number": 1})
    moved = await phone.next()
    assert (moved.id, moved.name) == (None, "read.moved")
    seq = int((await bob.cursor()).rpartition(".")[2])
    read = {"chat_id": chat["id"], "last_read_number": 1, "revision": 0, "deleted_above": 0, "seq": seq}
    assert moved.data["data"] == {"read": read}
    [receipt] = await other.until("receipt.moved")
    assert receipt.data == {"chat_id": chat["id"], "user_id": bob.id, "last_read_number": 1}
