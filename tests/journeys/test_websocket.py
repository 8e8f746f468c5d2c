"""The contract of `/ws` besides the stream itself, which it shares with `/events`: the handshake and the messages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import GATEWAY, ServerProcess
from tests.journeys.sockets import CLOSE, FINAL, PING, PONG, NotUpgraded, Socket, frame, handshake
from tests.journeys.wire import comparable


def own(person: Client) -> dict[str, str]:
    return {"authorization": f"Bearer {person.token}"}


async def connect(person: Client, path: str = "/ws", **headers: str) -> Socket:
    """Open a socket and read its `hello`."""
    asked = {**own(person), **{name.replace("_", "-"): value for name, value in headers.items()}}
    socket = await Socket.open(person.server.port, path, asked)
    assert (await socket.message())["event"] == "hello"
    return socket


async def ticket(person: Client) -> str:
    made = await person.post("/api/stream-ticket")
    assert made["expires_in"] == 30
    return str(made["ticket"])


async def refusal(server: ServerProcess, path: str = "/ws", **headers: str) -> tuple[int, str]:
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    with pytest.raises(NotUpgraded) as refused:
        await Socket.open(server.port, path, asked)
    return refused.value.answer.status, refused.value.answer.code


async def test_a_ticket_opens_one_stream_of_its_session(server: ServerProcess) -> None:
    ada = await owner(server)
    path = f"/ws?ticket={await ticket(ada)}"
    socket = await Socket.open(server.port, path)
    hello = await socket.message()
    assert hello["data"]["session_id"] in [session["id"] for session in (await ada.get("/api/sessions"))["items"]]
    assert await refusal(server, path) == (401, "ticket_used")
    assert await refusal(server, f"{path}x") == (401, "invalid_ticket")
    assert await refusal(server, f"/ws?ticket={await ticket(ada)}", **own(ada)) == (422, "invalid")
    await ada.post("/api/logout")
    assert await socket.closed() == 4401


async def test_a_ticket_cannot_be_used_as_a_token_nor_a_token_as_a_ticket(server: ServerProcess) -> None:
    ada = await owner(server)
    made = await ticket(ada)
    assert await refusal(server, f"/ws?ticket={ada.token}") == (401, "invalid_ticket")
    assert await refusal(server, authorization=f"Bearer {made}") == (401, "unauthorized")
    answer = await Client(server).ask("GET", "/api/users/me", headers={"authorization": f"Bearer {made}"})
    assert answer.status == 401
    assert (await Client(server).ask("POST", "/api/stream-ticket")).status == 401


async def test_a_ticket_of_an_ended_session_opens_nothing(server: ServerProcess) -> None:
    ada = await owner(server)
    made = await ticket(ada)
    await ada.post("/api/logout")
    assert await refusal(server, f"/ws?ticket={made}") == (401, "session_ended")
    assert (await ada.ask("POST", "/api/stream-ticket")).status == 401


async def test_the_subprotocol_is_selected_only_if_it_is_offered(server: ServerProcess) -> None:
    ada = await owner(server)
    offered = await connect(ada, sec_websocket_protocol="chat, fechatter.v1")
    assert offered.headers["sec-websocket-protocol"] == "fechatter.v1"
    other = await connect(ada, sec_websocket_protocol="chat")
    assert "sec-websocket-protocol" not in other.headers


async def test_a_request_without_a_handshake_gets_a_problem(server: ServerProcess) -> None:
    ada = await owner(server)
    plain = await ada.ask("GET", "/ws")
    assert (plain.status, plain.code) == (426, "upgrade_required")
    assert (await ada.ask("POST", "/ws")).status == 405
    assert (await Client(server).ask("GET", "/ws")).status == 401
    if GATEWAY == "on":  # Granian itself answers these
        assert await refusal(server, **own(ada), sec_websocket_version="8") == (426, "upgrade_required")
        for key in ("", "short", "A" * 24, "!" * 22 + "=="):
            assert await refusal(server, **own(ada), sec_websocket_key=key) == (400, "malformed_head")
        assert await refusal(server, **own(ada), upgrade="h2c") == (426, "upgrade_required")
    unicode = handshake(**own(ada), sec_websocket_protocol="żółć")
    with pytest.raises(NotUpgraded) as refused:
        await Socket.open(server.port, "/ws", unicode)
    assert refused.value.answer.status == 400


async def test_other_urls_ignore_a_request_for_an_upgrade(server: ServerProcess) -> None:
    ada = await owner(server)
    with pytest.raises(NotUpgraded) as refused:
        await Socket.open(server.port, "/api/users/me", own(ada))
    assert (refused.value.answer.status, refused.value.answer.json["id"]) == (200, ada.id)


async def test_a_send_is_answered_after_it_was_stored_and_a_repeat_is_recognised(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    socket = await connect(ada)
    order = {"type": "send", "chat_id": chat, "content": "hello", "idempotency_key": "k"}
    socket.send({**order, "ref": "first"})
    sent = (await socket.until("sent"))["data"]
    [stored] = [{**message, "idempotency_key": "k"} for message in await ada.history(chat)]
    assert sent == {"ref": "first", "message": stored, "repeated": False}
    socket.send(order)
    assert (await socket.until("sent"))["data"] == {"message": stored, "repeated": True}
    socket.send({**order, "content": "other", "ref": 'a"b'})
    problem = (await socket.until("problem"))["data"]
    assert (problem["ref"], problem["code"], problem["status"]) == ('a"b', "idempotency_conflict", 409)


async def test_messages_are_answered_in_their_order(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    socket = await connect(ada)
    for number in range(100):
        socket.send({"type": "send", "chat_id": chat, "content": str(number), "ref": str(number)})
    answers = [(await socket.until("sent"))["data"] for _ in range(100)]
    assert [int(answer["ref"]) for answer in answers] == list(range(100))
    assert [answer["message"]["number"] for answer in answers] == list(range(1, 101))


async def test_a_read_mark_moves_and_only_a_message_with_a_ref_is_answered(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    chat = (await ada.chat("private_channel", bob))["id"]
    await ada.send(chat, "hello")
    socket = await connect(bob)
    socket.send({"type": "read", "chat_id": chat, "number": 1})
    assert (await socket.until("read.moved"))["data"]["data"]["read"]["last_read_number"] == 1
    socket.send({"type": "read", "chat_id": chat, "number": 1, "ref": "r"})
    assert await socket.until("done") == {"event": "done", "data": {"ref": "r"}}
    assert (await bob.get(f"/api/chat/{chat}"))["last_read_number"] == 1


async def test_signals_run_the_functions_of_their_routes(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    chat = (await ada.chat("private_channel", bob))["id"]
    socket, other = await connect(bob), await connect(ada)
    socket.send({"type": "typing", "chat_id": chat})
    assert (await other.until("typing.started"))["data"]["user_ids"] == [bob.id]
    other.send({"type": "subscribe_presence", "user_ids": [bob.id], "ref": "s"})
    subscribed = (await other.until("done"))["data"]
    assert [presence["user_id"] for presence in subscribed["result"]["presences"]] == [bob.id]
    socket.send({"type": "presence", "state": "dnd", "ref": "p"})
    assert (await socket.until("done"))["data"] == {"ref": "p", "result": {"state": "dnd"}}
    seen = {}
    while seen != {"user_id": bob.id, "state": "dnd"}:
        [seen] = (await other.until("presence.changed"))["data"]["presences"]


REFUSED: list[tuple[Any, str]] = [
    ([], ""),
    ("text", ""),
    ({}, "/type"),
    ({"type": 1}, "/type"),
    ({"type": "no such type"}, "/type"),
    ({"type": "send", "ref": "r" * 65}, "/ref"),
    ({"type": "send", "content": "x"}, "/chat_id"),
    ({"type": "send", "content": "x", "chat_id": "1"}, "/chat_id"),
    ({"type": "send", "content": "x", "chat_id": -1}, "/chat_id"),
    ({"type": "send", "content": "x", "chat_id": True}, "/chat_id"),
    ({"type": "send", "content": "x", "chat_id": 1 << 60}, "/chat_id"),
    ({"type": "send", "content": "", "chat_id": 1}, "/content"),
    ({"type": "send", "content": {}, "chat_id": 1}, "/content"),
    ({"type": "send", "content": "x", "chat_id": 1, "more": 1}, "/more"),
    ({"type": "read", "chat_id": 1}, "/number"),
    ({"type": "ack"}, "/cursor"),
    ({"type": "ack", "cursor": "nonsense"}, "/cursor"),
    ({"type": "resume", "cursor": "nonsense"}, "/cursor"),
    ({"type": "resume", "cursor": "a.1", "seen": ["b"]}, "/seen/0"),
]


async def test_an_invalid_message_gets_a_problem_and_the_connection_stays(server: ServerProcess) -> None:
    ada = await owner(server)
    socket = await connect(ada)
    for message, pointer in REFUSED:
        socket.send(message)
        problem = (await socket.until("problem"))["data"]
        assert (problem["status"], problem.get("errors", [{}])[0].get("pointer")) == (422, pointer), message
    socket.raw(frame(0x81, b"{"))
    assert (await socket.until("problem"))["data"]["code"] == "malformed_json"
    socket.send({"type": "ack", "cursor": await ada.cursor(), "ref": "still here"})
    assert (await socket.until("done"))["data"] == {"ref": "still here"}


async def test_a_refused_message_gets_the_problem_of_the_http_request(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    hidden = (await ada.chat("private_channel"))["id"]
    socket = await connect(bob)
    for kind, method, path, body in [
        ("send", "POST", "messages", {"content": "from outside"}),
        ("send", "POST", "messages", {"content": "x" * 50_000}),
        ("read", "PUT", "read", {"number": 1}),
    ]:
        for chat in (hidden, 999_999_999):
            socket.send({"type": kind, "chat_id": chat, **body})
            problem = (await socket.until("problem"))["data"]
            answer = await bob.ask(method, f"/api/chat/{chat}/{path}", body)
            assert {**problem, "request_id": None} == comparable(answer)


async def test_the_first_message_can_resume_and_a_new_hello_answers_it(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    cursor = await ada.cursor()
    missed = await ada.send(chat, "missed")
    socket = await connect(ada)
    socket.send({"type": "resume", "cursor": cursor, "seen": [await ada.cursor()], "ref": "again"})
    hello = await socket.until("hello")
    assert hello["id"] == cursor
    replayed, resumed = await socket.until("message.created"), await socket.until("resumed")
    assert replayed["data"]["data"]["message"]["id"] == missed["id"]
    assert resumed["data"]["from"] == cursor
    assert (await socket.until("done"))["data"] == {"ref": "again"}
    live = await ada.send(chat, "live")
    assert (await socket.until("message.created"))["data"]["data"]["message"]["id"] == live["id"]
    socket.send({"type": "resume", "cursor": cursor})
    assert (await socket.until("problem"))["data"]["status"] == 409
    other = await connect(ada, f"/ws?last_event_id={cursor}")
    other.send({"type": "resume", "cursor": cursor})
    assert (await other.until("problem"))["data"]["status"] == 409


async def test_a_resume_from_another_log_is_reset_and_continues_live(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    socket = await connect(ada)
    socket.send({"type": "resume", "cursor": "another.1"})
    assert (await socket.until("reset"))["data"]["reason"] == "epoch"
    await ada.send(chat, "live")
    assert (await socket.until("message.created"))["data"]["data"]["message"]["content"] == "live"


async def test_positions_in_the_query_are_compared_with_the_log(server: ServerProcess) -> None:
    ada = await owner(server)
    cursor = await ada.cursor()
    path = f"/ws?last_event_id={cursor}&event_cursor="
    good = await connect(ada, path + f"{cursor},{await ada.cursor()}")
    assert (await good.until("resumed"))["event"] == "resumed"
    lost = await connect(ada, path + "another.1")
    assert (await lost.until("reset"))["data"]["reason"] == "epoch"
    assert await refusal(server, path + "nonsense", **own(ada)) == (422, "invalid")


async def test_pings_are_answered_and_the_last_frame_is_returned(server: ServerProcess) -> None:
    ada = await owner(server)
    socket = await connect(ada)
    socket.raw(frame(FINAL | PING, b"are you there?"))
    while (received := await socket.frame())[0] != PONG:
        assert received[0] == 1
    assert received[1] == b"are you there?"
    socket.raw(frame(FINAL | CLOSE, (3000).to_bytes(2) + b"bye"))
    assert await socket.closed() == 3000
