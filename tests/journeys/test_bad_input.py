"""Every kind of invalid input over real sockets: refused with its status and code, and without any effect."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.bad_bodies import INVALID, INVALID_KEYS, MALFORMED
from tests.journeys.client import Client, owner
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


def check_refused(
    answer: Answer, status: int, code: str, pointer: str | None = None, field_code: str | None = None
) -> None:
    """Check that the response is exactly this problem."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer.body
    problem = answer.json
    assert problem["code"] == code, answer.body
    assert {"type", "title", "status", "detail"} <= set(problem)
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    if pointer is not None:
        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, field_code)], (
            answer.body
        )


class Sandbox:
    """A person with a chat that contains one message."""

    def __init__(self, person: Client, chat: int, message: dict[str, Any]) -> None:
        self.person = person
        self.path = f"/api/chat/{chat}/messages"
        self.message = message
        self._chat = chat

    @classmethod
    async def open(cls, server: ServerProcess) -> Sandbox:
        person = await owner(server)
        chat = (await person.chat("public_channel"))["id"]
        return cls(person, chat, await person.send(chat, "the only one"))

    async def check_unchanged(self) -> None:
        assert await self.person.history(self._chat) == [self.message]

    async def send(self, raw: bytes, **headers: str) -> Answer:
        return await self.person.ask(
            "POST", self.path, raw=raw, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    async def edit(self, raw: bytes) -> Answer:
        return await self.person.ask("PATCH", f"{self.path}/{self.message['id']}", raw=raw)


async def test_malformed_bodies_are_refused(server: ServerProcess) -> None:
    sandbox = await Sandbox.open(server)
    for name, body in MALFORMED.items():
        codes = {(await sandbox.send(body)).code, (await sandbox.edit(body)).code}
        assert codes <= {"malformed_json", "malformed_utf8"}, name
        check_refused(await sandbox.person.ask("POST", f"{sandbox.path}/batch", raw=body), 400, codes.pop())
        for path in ("/api/chat", "/api/signin", "/api/refresh"):
            # A struct decoder may meet an unknown field before it meets the malformed part.
            answer = await sandbox.person.ask("POST", path, raw=body)
            check_refused(answer, *((422, "invalid") if b"unknown_field" in answer.body else (400, "malformed_json")))
    await sandbox.check_unchanged()


async def test_bodies_with_invalid_fields_are_refused(server: ServerProcess) -> None:
    sandbox = await Sandbox.open(server)
    for body, pointer, code in INVALID.values():
        check_refused(await sandbox.send(body), 422, "invalid", pointer, code)
        check_refused(await sandbox.edit(body), 422, "invalid", pointer, code)
    for body, code in INVALID_KEYS.values():
        check_refused(await sandbox.send(body), 422, "invalid", "/idempotency_key", code)
    await sandbox.check_unchanged()


async def test_a_batch_refuses_each_invalid_message_and_stores_the_others(server: ServerProcess) -> None:
    sandbox = await Sandbox.open(server)
    rows = [body for body, pointer, _ in INVALID.values() if body not in (b"[]", b"null")]
    good = b'{"content": "good"}'
    answer = await sandbox.person.ask(
        "POST", f"{sandbox.path}/batch", raw=b'{"messages": [' + b",".join([*rows, good]) + b"]}"
    )
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
async def test_invalid_batches_are_refused(server: ServerProcess, body: object, pointer: str, code: str) -> None:
    sandbox = await Sandbox.open(server)
    check_refused(await sandbox.person.ask("POST", f"{sandbox.path}/batch", body), 422, "invalid", pointer, code)
    await sandbox.check_unchanged()


@pytest.mark.parametrize("path", ["", "/batch"])
async def test_bodies_over_the_limit_are_refused_with_and_without_a_content_length(
    server: ServerProcess, path: str
) -> None:
    sandbox = await Sandbox.open(server)
    limit = 6 * MEBIBYTE if path else 64 * KIBIBYTE
    body = b'{"content": "' + b"a" * limit + b'"}'
    announced = await sandbox.person.ask("POST", sandbox.path + path, raw=body)
    check_refused(announced, 413, "body_too_large")
    assert announced.json["limit_bytes"] == limit
    wire = await Wire.open(server.port)
    headers = {
        "authorization": f"Bearer {sandbox.person.token}",
        "content-type": "application/json",
        "transfer-encoding": "chunked",
    }
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    check_refused(
        await wire.raw(head("POST", sandbox.path + path, headers) + chunk * (limit // 0x8000 + 1) + b"0\r\n\r\n"),
        413,
        "body_too_large",
    )
    await sandbox.check_unchanged()


async def test_a_body_of_exactly_the_limit_is_accepted(server: ServerProcess) -> None:
    sandbox = await Sandbox.open(server)
    padded = b'{"content": "a"}'.ljust(64 * KIBIBYTE)
    assert (await sandbox.send(padded)).status == 201
    check_refused(await sandbox.send(padded + b" "), 413, "body_too_large")


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", "x"]
)
async def test_other_content_types_are_refused(server: ServerProcess, media_type: str) -> None:
    sandbox = await Sandbox.open(server)
    body = b'{"content": "a"}'
    check_refused(await sandbox.send(body, content_type=media_type), 415, "unsupported_media_type")
    check_refused(
        await sandbox.person.ask("POST", "/api/chat", raw=b"{}", headers={"content-type": media_type}),
        415,
        "unsupported_media_type",
    )
    await sandbox.check_unchanged()


async def test_content_types_may_have_parameters(server: ServerProcess) -> None:
    sandbox = await Sandbox.open(server)
    assert (await sandbox.send(b'{"content": "a"}', content_type="Application/JSON; charset=utf-8")).status == 201


async def test_the_idempotency_keys_in_header_and_body_must_be_equal(server: ServerProcess) -> None:
    sandbox = await Sandbox.open(server)
    body = b'{"content": "a", "idempotency_key": "one"}'
    check_refused(await sandbox.send(body, idempotency_key="two"), 422, "invalid", "/idempotency_key", "key_mismatch")
    for key in ("", "k" * 65):
        check_refused(
            await sandbox.send(b'{"content": "a"}', idempotency_key=key),
            422,
            "invalid",
            "/idempotency_key",
            "invalid_key",
        )
    await sandbox.check_unchanged()
    assert (await sandbox.send(body, idempotency_key="one")).status == 201
    assert (await sandbox.send(b'{"content": "a"}', idempotency_key="one")).status == 200
    check_refused(await sandbox.send(b'{"content": "b"}', idempotency_key="one"), 409, "idempotency_conflict")


@pytest.mark.parametrize(
    "number", ["0", "-1", "1.5", "1e3", "x", "9007199254740992", "9" * 16, "9" * 17, "9" * 400, "%00", "١"]
)
async def test_ids_out_of_range_are_not_found(server: ServerProcess, number: str) -> None:
    sandbox = await Sandbox.open(server)
    for path in (
        f"/api/chat/{number}",
        f"/api/chat/{number}/messages",
        f"{sandbox.path}/{number}",
        f"/api/users/{number}",
    ):
        check_refused(await sandbox.person.ask("GET", path), 404, "not_found")
    check_refused(await sandbox.person.ask("POST", f"/api/chat/{number}/messages", {"content": "a"}), 404, "not_found")


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "x", "", "%00", "١", "9" * 100])
async def test_invalid_limits_are_refused(server: ServerProcess, limit: str) -> None:
    sandbox = await Sandbox.open(server)
    for path in ("/api/chat", "/api/users", "/api/channels", "/api/sessions", "/api/invitations", sandbox.path):
        check_refused(await sandbox.person.ask("GET", f"{path}?limit={limit}"), 422, "invalid")


@pytest.mark.parametrize(
    "query",
    [
        "before=-1",
        "after=x",
        "around=",
        "before=1&after=1",
        "after=9007199254740992",
        "befor=1",
        "limit=1&cursor=MQ",
        "after=%00",
    ],
)
async def test_invalid_positions_in_a_history_are_refused(server: ServerProcess, query: str) -> None:
    sandbox = await Sandbox.open(server)
    check_refused(await sandbox.person.ask("GET", f"{sandbox.path}?{query}"), 422, "invalid")


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "YWZ0ZXI6", "YWZ0ZXI6eA", "YWZ0ZXI6OTk5OTk5OTk5OTk5OTk5OTk5", "a" * 4_000]
)
async def test_invalid_page_cursors_are_refused(server: ServerProcess, cursor: str) -> None:
    sandbox = await Sandbox.open(server)
    for path in ("/api/chat", "/api/users", "/api/channels"):
        check_refused(
            await sandbox.person.ask("GET", f"{path}?cursor={cursor}"), 422, "invalid", "?cursor", "invalid_cursor"
        )


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800", "a\\u001bb", "a\\nb"])
async def test_texts_that_a_database_cannot_store_are_refused_everywhere(server: ServerProcess, text: str) -> None:
    sandbox = await Sandbox.open(server)
    raw = text.encode()
    for method, path, body in (
        ("POST", "/api/chat", b'{"chat_type": "public_channel", "name": "%b"}' % raw),
        ("PATCH", "/api/users/me", b'{"fullname": "%b"}' % raw),
        ("PATCH", "/api/workspace", b'{"name": "%b"}' % raw),
        (
            "POST",
            "/api/signup",
            b'{"email": "%b@x.org", "password": "12345678", "fullname": "a", "workspace": "b"}' % raw,
        ),
    ):
        answer = await sandbox.person.ask(method, path, raw=body)
        assert (answer.status, answer.code) in ((422, "invalid"), (400, "malformed_json")), f"{path}: {answer.body!r}"
    for path in ("/api/users?q=a%00b", "/api/channels?q=a%00b", "/api/users?q=%ED%A0%80", "/api/channels?q=%ff"):
        assert (await sandbox.person.ask("GET", path)).status in (200, 422), path


async def test_unknown_paths_and_methods_are_refused(server: ServerProcess) -> None:
    sandbox = await Sandbox.open(server)
    for path in (
        "/api",
        "/api/",
        "/api/chats",
        "/api/chat/",
        "/API/chat",
        "/api//chat",
        "/api/chat/1/nothing",
        "/%00",
        "/..%2f..%2fetc",
    ):
        check_refused(await sandbox.person.ask("GET", path), 404, "not_found")
    answer = await sandbox.person.ask("PUT", sandbox.path, raw=b"{}")
    check_refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"
    await sandbox.check_unchanged()


async def test_the_server_is_healthy_afterwards(server: ServerProcess) -> None:
    assert (await Client(server).get("/health"))["status"] == "ok"
    assert "Traceback" not in server.output
