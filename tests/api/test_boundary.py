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
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import request_response
from starlette.types import Receive

from fechatter.api import receiving
from fechatter.api.application import Application
from fechatter.api.bodies import Body, read_body
from fechatter.api.middleware.boundary import BrokenOff, RequestBoundary, request_ids
from fechatter.api.middleware.requests import Requests
from fechatter.api.responses import json_response
from fechatter.api.router import Route
from fechatter.api.routes import ROUTES
from fechatter.auth.quotas import Quotas
from fechatter.auth.tokens import Claims
from fechatter.errors import NotFound, TooManyRequests, Unauthorized
from fechatter.model import SessionId, UserId, WorkspaceId
from fechatter.settings import Settings
from fechatter.storage.engines.errors import StorageFull, StorageUnavailable
from tests.servers.process import PATIENCE_SECONDS

Headers = Sequence[tuple[bytes, bytes]]
HOST = [(b"host", b"a")]


class Named(Body, frozen=True):
    name: str


ERRORS: dict[str, Exception] = {
    "unexpected": ValueError("secret detail"),
    "hidden": NotFound(),
    "stranger": Unauthorized(),
    "often": TooManyRequests(retry_after_seconds=7),
    "full": StorageFull("disk"),
    "cut": StorageUnavailable("host db.internal"),
}


async def fail(request: Request) -> Response:
    raise ERRORS[request.path_params["name"]]


async def greet(request: Request) -> Response:
    return json_response({"hello": (await read_body(request, Named, limit=1000)).name})


APP_ROUTES = [
    Route("/greet", {"POST": request_response(greet)}),
    Route("/fail/{name}", {"GET": request_response(fail)}),
]


@pytest.fixture
def client() -> httpx2.AsyncClient:
    return serving()


async def test_an_unexpected_error_tells_nothing_but_its_request_id(client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
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
async def test_errors_become_problems(client: httpx2.AsyncClient, name: str, status: int, code: str, header: dict[str, str]) -> None:
    answer = await client.get(f"/fail/{name}")
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert header.items() <= dict(answer.headers).items()
    assert "internal" not in answer.text


async def test_the_clients_request_id_is_kept_when_it_is_sane(client: httpx2.AsyncClient) -> None:
    for sent, kept in [("abc-1.2:3", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("<script>", False), ("", False)]:
        answer = await client.get("/fail/hidden", headers={"x-request-id": sent})
        assert (answer.headers["x-request-id"] == sent) is kept
    first, second = [(await client.get("/fail/hidden")).headers["x-request-id"] for _ in range(2)]
    assert first != second


async def test_404_and_405_are_problems_and_nothing_redirects(client: httpx2.AsyncClient) -> None:
    for path in ("/nowhere", "/greet/", "//greet", "/"):
        answer = await client.get(path, headers={"host": "evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await client.delete("/fail/hidden")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "method_not_allowed", "GET, HEAD")


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
async def test_bodies_are_checked(client: httpx2.AsyncClient, body: bytes, content_type: str | None, status: int, code: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    answer = await client.post("/greet", content=body, headers=headers)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    if status == 422:
        assert answer.json()["errors"] == [{"pointer": "/name", "code": "invalid_type", "detail": "Expected `str`, got `int`"}]


async def test_a_body_without_a_length_is_counted_while_it_is_read() -> None:
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
    """Status and code of the answer to what `receive` brings."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"host", b"a"), *headers], "query_string": b"", "scheme": "http"}
    async with asyncio.timeout(PATIENCE_SECONDS):
        await Application(routes)(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])["code"]


@pytest.mark.parametrize("pause", [10.0, 0.05])
async def test_a_body_that_stands_still_or_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch, pause: float) -> None:
    monkeypatch.setattr(receiving, "PART_SECONDS", 0.2)
    monkeypatch.setattr(receiving, "BODY_SECONDS", 0.4)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": b" ", "more_body": True}

    assert await refusal([Route("/greet", {"POST": request_response(greet)})], receive) == (408, "body_timeout")


async def test_a_body_that_breaks_off_is_answered_all_the_same() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert await refusal([Route("/greet", {"POST": request_response(greet)})], receive) == (400, "incomplete_body")


@pytest.mark.parametrize(("method", "path"), [("OPTIONS", "*"), ("CONNECT", "")])
async def test_a_target_that_is_no_path_is_nowhere(method: str, path: str) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    assert await refusal([Route("/", {"GET": request_response(greet)})], receive, method, path) == (404, "not_found")


async def test_an_error_after_the_answer_began_ends_it_and_stays_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("late")

    async def nothing(*_: Any) -> Any:
        return None

    with pytest.raises(BrokenOff) as raised:
        await RequestBoundary(app, Requests(), Settings())({"type": "http", "method": "GET", "headers": HOST}, nothing, nothing)
    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)
    assert "late" in caplog.text


async def test_every_answer_tells_browsers_to_trust_it_little(client: httpx2.AsyncClient) -> None:
    for path, status in [("/greet", 405), ("/nowhere", 404), ("/fail/unexpected", 500)]:
        answer = await client.get(path)
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert not {"strict-transport-security", "access-control-allow-origin"} & set(answer.headers)


async def test_https_is_asked_for_where_people_have_it() -> None:
    async with serving(public_url="https://chat.example.org") as asked:
        assert (await asked.get("/nowhere")).headers["strict-transport-security"] == "max-age=31536000"


async def test_pages_of_other_origins_ask_only_where_they_are_named() -> None:
    ours, other = "https://tool.example.org", "https://evil.example"
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "authorization, idempotency-key"}
    async with serving(cors_origins=(ours,)) as asked:
        answer = await asked.options("/greet", headers={"origin": ours, **preflight})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ours)
        assert {"Authorization", "Idempotency-Key"} <= set(answer.headers["access-control-allow-headers"].split(", "))
        assert {"x-request-id", "content-security-policy"} <= set(answer.headers)
        assert (await asked.options("/greet", headers={"origin": other, **preflight})).status_code == 400
        for path in ("/fail/hidden", "/fail/unexpected"):
            told, refused = [await asked.get(path, headers={"origin": origin}) for origin in (ours, other)]
            assert (told.headers["access-control-allow-origin"], told.headers["vary"]) == (ours, "Origin")
            assert "X-Request-Id" in told.headers["access-control-expose-headers"]
            assert ("access-control-allow-origin" in refused.headers, refused.headers["vary"]) == (False, "Origin")


async def test_cookies_are_never_taken_from_other_origins() -> None:
    for origins in (("*",), ("https://tool.example.org",)):
        async with serving(cors_origins=origins) as asked:
            headers = {"origin": "https://tool.example.org", "cookie": "a=b"}
            answers = [
                await asked.get("/fail/hidden", headers=headers),
                await asked.options("/greet", headers={**headers, "access-control-request-method": "POST"}),
            ]
        assert not any("access-control-allow-credentials" in answer.headers for answer in answers)
        assert {answer.headers["access-control-allow-origin"] for answer in answers} == set(origins)


def serving(**settings: Any) -> httpx2.AsyncClient:
    """Asks an app with these settings."""
    app = Application(APP_ROUTES, settings=Settings(**settings))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://server")


async def test_a_message_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PART_SECONDS", 0.1)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(1)
        raise AssertionError("still read")

    who = Claims(UserId(1), WorkspaceId(2), SessionId(3))
    served = SimpleNamespace(tokens=SimpleNamespace(verify=lambda token: who), quotas=Quotas(Settings()))
    monkeypatch.setattr(Application, "services", served, raising=False)
    headers = [(b"authorization", b"Bearer good")]
    assert await refusal(ROUTES, receive, path="/api/chat/1/messages", headers=headers) == (408, "body_timeout")


def test_ids_of_requests_differ_in_what_people_see_of_them() -> None:
    ids = list(itertools.islice(request_ids(), 20_000))
    assert len({each[:8] for each in ids}) == len(ids)
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in ids)
    assert next(request_ids()) != next(request_ids())
