"""Every kind of bad input over the real socket: refused with its status and code, and nothing is kept of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.bad_bodies import INVALID, INVALID_KEYS, MALFORMED
from tests.journeys.client import Client, owner
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


def refused(answer: Answer, status: int, code: str, pointer: str | None = None, field_code: str | None = None) -> None:
    """The answer is this problem, in full."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer.body
    problem = answer.json
    assert problem["code"] == code, answer.body
    assert {"type", "title", "status", "detail"} <= set(problem)
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    if pointer is not None:
        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, field_code)], answer.body


class Desk:
    """A person with a chat and a message in it; `untouched` says that nothing came to it."""

    def __init__(self, person: Client, chat: int, message: dict[str, Any]) -> None:
        self.person = person
        self.path = f"/api/chat/{chat}/messages"
        self.message = message
        self._chat = chat

    @classmethod
    async def open(cls, server: ServerProcess) -> Desk:
        person = await owner(server)
        chat = (await person.chat("public_channel"))["id"]
        return cls(person, chat, await person.send(chat, "the only one"))

    async def untouched(self) -> None:
        assert await self.person.history(self._chat) == [self.message]

    async def send(self, raw: bytes, **headers: str) -> Answer:
        return await self.person.ask("POST", self.path, raw=raw, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def edit(self, raw: bytes) -> Answer:
        return await self.person.ask("PATCH", f"{self.path}/{self.message['id']}", raw=raw)


async def test_malformed_bodies(server: ServerProcess) -> None:
    desk = await Desk.open(server)
    for name, body in MALFORMED.items():
        codes = {(await desk.send(body)).code, (await desk.edit(body)).code}
        assert codes <= {"malformed_json", "malformed_utf8"}, name
        refused(await desk.person.ask("POST", f"{desk.path}/batch", raw=body), 400, codes.pop())
        for path in ("/api/chat", "/api/signin", "/api/refresh"):
            # A reader of structs may meet an unknown field before it meets what is no JSON.
            answer = await desk.person.ask("POST", path, raw=body)
            refused(answer, *((422, "invalid") if b"unknown_field" in answer.body else (400, "malformed_json")))
    await desk.untouched()


async def test_bodies_of_another_shape(server: ServerProcess) -> None:
    desk = await Desk.open(server)
    for body, pointer, code in INVALID.values():
        refused(await desk.send(body), 422, "invalid", pointer, code)
        refused(await desk.edit(body), 422, "invalid", pointer, code)
    for body, code in INVALID_KEYS.values():
        refused(await desk.send(body), 422, "invalid", "/idempotency_key", code)
    await desk.untouched()


async def test_a_batch_answers_each_bad_message_and_keeps_the_others(server: ServerProcess) -> None:
    desk = await Desk.open(server)
    rows = [body for body, pointer, _ in INVALID.values() if body not in (b"[]", b"null")]
    good = b'{"content": "good"}'
    answer = await desk.person.ask("POST", f"{desk.path}/batch", raw=b'{"messages": [' + b",".join([*rows, good]) + b"]}")
    results = answer.json["results"]
    assert [result["status"] for result in results] == [422] * len(rows) + [201]
    assert {result["problem"]["code"] for result in results[:-1]} == {"invalid"}
    assert results[-1]["message"]["number"] == 2


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/messages", "missing"),
        ({"messages": []}, "/messages", "empty"),
        ({"messages": {}}, "/messages", "invalid_type"),
        ({"messages": [{"content": "a"}] * 101}, "/messages", "too_many"),
        ({"messages": [{"content": "a"}], "more": 1}, "/more", "unknown_field"),
    ],
)
async def test_batches_of_another_shape(server: ServerProcess, body: object, pointer: str, code: str) -> None:
    desk = await Desk.open(server)
    refused(await desk.person.ask("POST", f"{desk.path}/batch", body), 422, "invalid", pointer, code)
    await desk.untouched()


@pytest.mark.parametrize("path", ["", "/batch"])
async def test_bodies_over_the_limit_are_cut_off_whether_or_not_they_say_so(server: ServerProcess, path: str) -> None:
    desk = await Desk.open(server)
    limit = 6 * MEBIBYTE if path else 64 * KIBIBYTE
    body = b'{"content": "' + b"a" * limit + b'"}'
    announced = await desk.person.ask("POST", desk.path + path, raw=body)
    refused(announced, 413, "body_too_large")
    assert announced.json["limit_bytes"] == limit
    wire = await Wire.open(server.port)
    headers = {"authorization": f"Bearer {desk.person.token}", "content-type": "application/json", "transfer-encoding": "chunked"}
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    refused(await wire.raw(head("POST", desk.path + path, headers) + chunk * (limit // 0x8000 + 1) + b"0\r\n\r\n"), 413, "body_too_large")
    await desk.untouched()


async def test_a_body_up_to_the_limit_is_read(server: ServerProcess) -> None:
    desk = await Desk.open(server)
    padded = b'{"content": "a"}'.ljust(64 * KIBIBYTE)
    assert (await desk.send(padded)).status == 201
    refused(await desk.send(padded + b" "), 413, "body_too_large")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", "x"])
async def test_other_content_types_are_refused(server: ServerProcess, media_type: str) -> None:
    desk = await Desk.open(server)
    body = b'{"content": "a"}'
    refused(await desk.send(body, content_type=media_type), 415, "unsupported_media_type")
    refused(await desk.person.ask("POST", "/api/chat", raw=b"{}", headers={"content-type": media_type}), 415, "unsupported_media_type")
    await desk.untouched()


async def test_content_types_may_have_parameters(server: ServerProcess) -> None:
    desk = await Desk.open(server)
    assert (await desk.send(b'{"content": "a"}', content_type="Application/JSON; charset=utf-8")).status == 201


async def test_header_and_body_must_agree_on_the_key(server: ServerProcess) -> None:
    desk = await Desk.open(server)
    body = b'{"content": "a", "idempotency_key": "one"}'
    refused(await desk.send(body, idempotency_key="two"), 422, "invalid", "/idempotency_key", "key_mismatch")
    for key in ("", "k" * 65):
        refused(await desk.send(b'{"content": "a"}', idempotency_key=key), 422, "invalid", "/idempotency_key", "invalid_key")
    await desk.untouched()
    assert (await desk.send(body, idempotency_key="one")).status == 201
    assert (await desk.send(b'{"content": "a"}', idempotency_key="one")).status == 200
    refused(await desk.send(b'{"content": "b"}', idempotency_key="one"), 409, "idempotency_conflict")


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "1e3", "x", "9007199254740992", "9" * 16, "9" * 17, "9" * 400, "%00", "١"])
async def test_ids_that_can_be_none_are_not_there(server: ServerProcess, number: str) -> None:
    desk = await Desk.open(server)
    for path in (f"/api/chat/{number}", f"/api/chat/{number}/messages", f"{desk.path}/{number}", f"/api/users/{number}"):
        refused(await desk.person.ask("GET", path), 404, "not_found")
    refused(await desk.person.ask("POST", f"/api/chat/{number}/messages", {"content": "a"}), 404, "not_found")


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "x", "", "%00", "١", "9" * 100])
async def test_bad_limits_are_refused(server: ServerProcess, limit: str) -> None:
    desk = await Desk.open(server)
    for path in ("/api/chat", "/api/users", "/api/channels", "/api/sessions", "/api/invitations", desk.path):
        refused(await desk.person.ask("GET", f"{path}?limit={limit}"), 422, "invalid")


@pytest.mark.parametrize(
    "query", ["before=-1", "after=x", "around=", "before=1&after=1", "after=9007199254740992", "befor=1", "limit=1&cursor=MQ", "after=%00"]
)
async def test_bad_places_in_a_history_are_refused(server: ServerProcess, query: str) -> None:
    desk = await Desk.open(server)
    refused(await desk.person.ask("GET", f"{desk.path}?{query}"), 422, "invalid")


@pytest.mark.parametrize("cursor", ["x", "%00", "YWZ0ZXI6", "YWZ0ZXI6eA", "YWZ0ZXI6OTk5OTk5OTk5OTk5OTk5OTk5", "a" * 4_000])
async def test_bad_page_cursors_are_refused(server: ServerProcess, cursor: str) -> None:
    desk = await Desk.open(server)
    for path in ("/api/chat", "/api/users", "/api/channels"):
        refused(await desk.person.ask("GET", f"{path}?cursor={cursor}"), 422, "invalid", "?cursor", "invalid_cursor")


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800", "a\\u001bb", "a\\nb"])
async def test_texts_that_a_database_cannot_hold_are_refused_everywhere(server: ServerProcess, text: str) -> None:
    desk = await Desk.open(server)
    raw = text.encode()
    for method, path, body in (
        ("POST", "/api/chat", b'{"chat_type": "public_channel", "name": "%b"}' % raw),
        ("PATCH", "/api/users/me", b'{"fullname": "%b"}' % raw),
        ("PATCH", "/api/workspace", b'{"name": "%b"}' % raw),
        ("POST", "/api/signup", b'{"email": "%b@x.org", "password": "12345678", "fullname": "a", "workspace": "b"}' % raw),
    ):
        answer = await desk.person.ask(method, path, raw=body)
        assert (answer.status, answer.code) in ((422, "invalid"), (400, "malformed_json")), f"{path}: {answer.body!r}"
    for path in ("/api/users?q=a%00b", "/api/channels?q=a%00b", "/api/users?q=%ED%A0%80", "/api/channels?q=%ff"):
        assert (await desk.person.ask("GET", path)).status in (200, 422), path


async def test_unknown_places_and_methods(server: ServerProcess) -> None:
    desk = await Desk.open(server)
    for path in ("/api", "/api/", "/api/chats", "/api/chat/", "/API/chat", "/api//chat", "/api/chat/1/nothing", "/%00", "/..%2f..%2fetc"):
        refused(await desk.person.ask("GET", path), 404, "not_found")
    answer = await desk.person.ask("PUT", desk.path, raw=b"{}")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"
    await desk.untouched()


async def test_the_server_is_well_afterwards(server: ServerProcess) -> None:
    assert (await Client(server).get("/health"))["status"] == "ok"
    assert "Traceback" not in server.output
