"""The request boundary: request ids, errors, and request bodies."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from starlette.routing import request_response
from starlette.types import Receive

from fechatter.api import receiving
from fechatter.api.application import Application
from fechatter.api.middleware.boundary import BrokenOff, RequestBoundary
from fechatter.api.middleware.requests import Requests
from fechatter.api.router import Route
from fechatter.api.routes import ROUTES
from fechatter.auth.quotas import Quotas
from fechatter.auth.tokens import Claims
from fechatter.model import SessionId, UserId, WorkspaceId
from fechatter.native import RequestIds
from fechatter.settings import Settings
from tests.api.small_app import greet, serving
from tests.servers.process import PATIENCE_SECONDS

Headers = Sequence[tuple[bytes, bytes]]
HOST = [(b"host", b"a")]


@pytest.fixture
def client() -> httpx2.AsyncClient:
    return serving()


async def test_the_response_to_an_unexpected_error_contains_only_its_request_id(
    client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/fail/unexpected")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] in caplog.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    ("name", "status", "code", "header"),
    [
        ("hidden", 404, "not_found", {}),
        ("stranger", 401, "unauthorized", {"www-authenticate": 'Bearer realm="fechatter"'}),
        ("often", 429, "too_many_requests", {"retry-after": "7"}),
        ("full", 503, "storage_full", {"retry-after": "30"}),
        ("cut", 503, "storage_unavailable", {"retry-after": "2"}),
    ],
)
async def test_errors_become_problems(
    client: httpx2.AsyncClient, name: str, status: int, code: str, header: dict[str, str]
) -> None:
    answer = await client.get(f"/fail/{name}")
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert header.items() <= dict(answer.headers).items()
    assert "internal" not in answer.text


async def test_a_valid_request_id_of_the_client_is_kept(client: httpx2.AsyncClient) -> None:
    for sent, kept in [
        ("abc-1.2:3", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("<script>", False),
        ("", False),
    ]:
        answer = await client.get("/fail/hidden", headers={"x-request-id": sent})
        assert (answer.headers["x-request-id"] == sent) is kept
    first, second = [(await client.get("/fail/hidden")).headers["x-request-id"] for _ in range(2)]
    assert first != second


async def test_404_and_405_are_problems_and_nothing_redirects(client: httpx2.AsyncClient) -> None:
    for path in ("/nowhere", "/greet/", "//greet", "/"):
        answer = await client.get(path, headers={"host": "evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await client.delete("/fail/hidden")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (
        405,
        "method_not_allowed",
        "GET, HEAD",
    )


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"name": "you"}', "application/json; charset=utf-8", 200, None),
        (b'{"name": "you"}', None, 200, None),
        (b'{"name": "you"}', "text/plain", 415, "unsupported_media_type"),
        (b"name=you", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"{", "application/json", 400, "malformed_json"),
        (b'{"name": 1}', "application/json", 422, "invalid"),
        (b'{"name": "%s"}' % (b"x" * 1000), "application/json", 413, "body_too_large"),
    ],
)
async def test_bodies_are_checked(
    client: httpx2.AsyncClient, body: bytes, content_type: str | None, status: int, code: str | None
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    answer = await client.post("/greet", content=body, headers=headers)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    if status == 422:
        assert answer.json()["errors"] == [
            {"pointer": "/name", "code": "invalid_type", "detail": "Expected `str`, got `int`"}
        ]


async def test_a_body_without_a_length_is_limited_while_it_is_read() -> None:
    sent: list[Any] = []
    pulled = 0

    async def receive() -> dict[str, Any]:
        nonlocal pulled
        pulled += 1
        return {"type": "http.request", "body": b"x" * 400, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    app = Application([Route("/greet", {"POST": request_response(greet)})])
    await app({"type": "http", "method": "POST", "path": "/greet", "headers": HOST, "query_string": b""}, receive, send)
    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["limit_bytes"] == 1000
    assert pulled == 3


async def refusal(
    routes: list[Route], receive: Receive, method: str = "POST", path: str = "/greet", headers: Headers = ()
) -> tuple[int, str]:
    """Return the status and the code of the response to the messages of `receive`."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(b"host", b"a"), *headers],
        "query_string": b"",
        "scheme": "http",
    }
    async with asyncio.timeout(PATIENCE_SECONDS):
        await Application(routes)(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])["code"]


@pytest.mark.parametrize("pause", [10.0, 0.05])
async def test_a_body_that_stops_or_trickles_times_out(monkeypatch: pytest.MonkeyPatch, pause: float) -> None:
    monkeypatch.setattr(receiving, "PART_SECONDS", 0.2)
    monkeypatch.setattr(receiving, "BODY_SECONDS", 0.4)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": b" ", "more_body": True}

    assert await refusal([Route("/greet", {"POST": request_response(greet)})], receive) == (408, "body_timeout")


async def test_an_incomplete_body_gets_a_response() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert await refusal([Route("/greet", {"POST": request_response(greet)})], receive) == (400, "incomplete_body")


@pytest.mark.parametrize(("method", "path"), [("OPTIONS", "*"), ("CONNECT", "")])
async def test_a_target_that_is_not_a_path_is_not_found(method: str, path: str) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    assert await refusal([Route("/", {"GET": request_response(greet)})], receive, method, path) == (404, "not_found")


async def test_an_error_after_the_response_began_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("late")

    async def nothing(*_: Any) -> Any:
        return None

    with pytest.raises(BrokenOff) as raised:
        await RequestBoundary(app, Requests(), Settings())(
            {"type": "http", "method": "GET", "headers": HOST}, nothing, nothing
        )
    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)
    assert "late" in caplog.text


async def test_the_body_of_a_send_that_stops_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PART_SECONDS", 0.1)

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("no event was set")

    who = Claims(UserId(1), WorkspaceId(2), SessionId(3))
    served = SimpleNamespace(tokens=SimpleNamespace(verify=lambda token: who), quotas=Quotas(Settings()))
    monkeypatch.setattr(Application, "services", served, raising=False)
    headers = [(b"authorization", b"Bearer good")]
    assert await refusal(ROUTES, receive, path="/api/chat/1/messages", headers=headers) == (408, "body_timeout")


def test_request_ids_differ_in_the_part_that_people_see() -> None:
    ids = list(itertools.islice(RequestIds(), 20_000))
    assert len({each[:8] for each in ids}) == len(ids)
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in ids)
    assert next(RequestIds()) != next(RequestIds())
