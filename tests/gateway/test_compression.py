"""The gateway compresses only answers that the server behind it has labelled as free of secrets."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from fechatter.api.contract.document import document
from fechatter.api.routes import ROUTES, WITHOUT_SECRETS
from tests.gateway.conftest import RunningGateway
from tests.gateway.doors import Doors
from tests.gateway.upstream import Received, Upstream
from tests.journeys.client import PASSWORD, Client
from tests.journeys.wire import Answer, Wire, head

CONTENT = orjson.dumps({"messages": ["Good morning"] * 1000})
LABEL = {"x-fechatter-compressible": "1"}
JSON = {"content-type": "application/json"}
DOCUMENT = document()
MIN_BYTES = 1024
ALL = {"accept-encoding": "gzip, deflate, br, zstd"}


async def asked(
    gateway: RunningGateway,
    upstream: Upstream,
    answer: dict[str, str],
    content: bytes = CONTENT,
    status: int = 200,
    **request: str,
) -> Answer:
    """Return what a client receives if the upstream answers with these headers."""

    async def respond(_: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = {"content-length": str(len(content)), **answer}
        text = "\r\n".join([f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in lines.items()), "", ""])
        writer.write(text.encode() + content)

    upstream.answer = respond
    wire = await Wire.open(gateway.port)
    headers = {name.replace("_", "-"): value for name, value in request.items()} or ALL
    return await wire.raw(head("GET", "/", headers))


@pytest.mark.parametrize(
    ("accepted", "coding", "start"),
    [
        ("gzip, deflate, br, zstd", "zstd", b"\x28\xb5\x2f\xfd"),
        ("gzip, br", "br", b""),
        ("GZIP;q=0.5, br;q=0", "gzip", b"\x1f\x8b"),
    ],
)
async def test_a_labelled_answer_is_compressed_in_the_cheapest_coding(
    gateway: RunningGateway, upstream: Upstream, accepted: str, coding: str, start: bytes
) -> None:
    answer = await asked(gateway, upstream, {**JSON, **LABEL}, accept_encoding=accepted)
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == (coding, "accept-encoding")
    assert len(answer.body) < len(CONTENT) // 10
    assert answer.body.startswith(start)
    assert not [name for name in answer.headers if name.startswith("x-fechatter")]
    if coding == "gzip":
        assert gzip.decompress(answer.body) == CONTENT


@pytest.mark.parametrize("length", [1024, 8192, 8193, 1 << 20])
async def test_answers_of_every_size_are_complete(gateway: RunningGateway, upstream: Upstream, length: int) -> None:
    content = (b"Good morning, Ada. " * (1 + length // 19))[:length]
    answer = await asked(gateway, upstream, {**JSON, **LABEL}, content, accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == content


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        (JSON, CONTENT, 200),
        ({**JSON, "x-fechatter-compressibles": "1"}, CONTENT, 200),
        ({**JSON, **LABEL, "set-cookie": "a=b"}, CONTENT, 200),
        ({**JSON, **LABEL, "content-encoding": "gzip"}, gzip.compress(CONTENT, mtime=0), 200),
        ({**JSON, **LABEL, "etag": '"a"'}, CONTENT, 200),
        ({**JSON, **LABEL, "cache-control": "no-transform"}, CONTENT, 200),
        ({**JSON, **LABEL}, CONTENT, 401),
        ({**JSON, **LABEL}, CONTENT[:1023], 200),
        ({**JSON, **LABEL}, bytes((1 << 20) + 1), 200),
        ({"content-type": "image/png", **LABEL}, CONTENT, 200),
        ({"content-type": "text/event-stream", **LABEL}, CONTENT, 200),
        (LABEL, CONTENT, 200),
    ],
)
async def test_any_other_answer_passes_unchanged(
    gateway: RunningGateway, upstream: Upstream, headers: dict[str, str], content: bytes, status: int
) -> None:
    answer = await asked(gateway, upstream, headers, content, status)
    assert (answer.status, answer.body) == (status, content)
    assert answer.headers.get("content-encoding") == headers.get("content-encoding")
    assert not [name for name in answer.headers if name.startswith("x-fechatter")]


@pytest.mark.parametrize("accepted", ["identity", "*", "deflate", "gzip;q=0", "br;q=0.000, zstd ; q=0", "\xff", ""])
async def test_a_client_that_accepts_no_coding_gets_none(
    gateway: RunningGateway, upstream: Upstream, accepted: str
) -> None:
    answer = await asked(gateway, upstream, {**JSON, **LABEL}, accept_encoding=accepted)
    assert answer.body == CONTENT
    assert "content-encoding" not in answer.headers
    # A cache in front must not give a compressed answer to this client.
    assert answer.headers["vary"] == "accept-encoding"


async def test_an_answer_that_breaks_off_is_incomplete_for_the_client(
    gateway: RunningGateway, upstream: Upstream
) -> None:
    async def break_off(_: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-fechatter-compressible: 1\r\n")
        writer.write(b"content-length: 2000\r\n\r\n" + b"a" * 1000)
        writer.close()

    upstream.answer = break_off
    wire = await Wire.open(gateway.port)
    with pytest.raises(ConnectionError):
        await wire.raw(head("GET", "/", ALL))


async def test_a_client_cannot_label_an_answer(gateway: RunningGateway, upstream: Upstream) -> None:
    answer = await asked(gateway, upstream, JSON, **ALL, x_fechatter_compressible="1")
    assert answer.body == CONTENT
    assert not upstream.received[-1].values("x-fechatter-compressible")


async def _get(person: Client, path: str) -> Answer:
    wire = await Wire.open(person.server.port)
    return await wire.raw(head("GET", path, {"authorization": f"Bearer {person.token}", "accept-encoding": "gzip"}))


async def test_a_page_of_history_is_compressed_and_equal_to_the_one_of_the_app(doors: Doors) -> None:
    by_app, by_gateway = await doors.open()
    path = by_gateway.paths["own"]
    for number in range(20):
        await by_gateway.person.call("POST", path, {"content": f"Good morning {number}. " * 10})
    packed = await _get(by_gateway.person, path)
    plain = await by_gateway.person.ask("GET", path)
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    direct = await _get(by_app.person, by_app.paths["own"])
    assert "content-encoding" not in direct.headers
    assert not [name for name in direct.headers if name.startswith("x-fechatter")]


async def test_an_answer_of_a_route_with_tokens_is_never_compressed(doors: Doors) -> None:
    _, sender = await doors.open()
    headers = {**JSON, "authorization": f"Bearer {sender.person.token}", **ALL}
    body = orjson.dumps({"email": "a@example.org", "password": "x" * 100})
    for path in ("/api/signin", "/api/refresh", "/api/invitations", "/api/password-resets/lookup"):
        answer = await (await Wire.open(sender.person.server.port)).request("POST", path, body, headers)
        assert "content-encoding" not in answer.headers
    assert "vary" not in (await _get(sender.person, "/api/invitations")).headers


async def test_a_long_answer_of_another_route_is_not_compressed(doors: Doors) -> None:
    _, sender = await doors.open()
    user, workspace = sender.person.session["user"], sender.person.session["workspace"]
    # With 400 bytes for the name, a session has more than the smallest size that is compressed.
    await sender.person.call("PATCH", "/api/users/me", {"fullname": "\N{CJK UNIFIED IDEOGRAPH-20000}" * 100})
    body = orjson.dumps({"email": user["email"], "password": PASSWORD, "workspace": workspace["slug"]})
    for _ in range(8):
        wire = await Wire.open(sender.person.server.port)
        session = await wire.request("POST", "/api/signin", body, {**JSON, **ALL})
    listed = await _get(sender.person, "/api/sessions")
    assert "access_token" in session.json
    for answer in (session, listed):
        assert answer.status == 200
        assert len(answer.body) >= MIN_BYTES
        assert not {"content-encoding", "vary"} & set(answer.headers)


def _properties(schema: Any) -> Iterator[str]:
    """Yield the names of all properties in a schema and in those that it refers to."""
    seen, waiting = set(), [schema]
    while waiting:
        match waiting.pop():
            case {"$ref": str(name)} if name not in seen:
                seen.add(name)
                waiting.append(DOCUMENT["components"]["schemas"][name.rpartition("/")[2]])
            case dict(found):
                yield from found.get("properties", {})
                waiting += found.values()
            case list(found):
                waiting += found


@pytest.mark.parametrize("route", sorted(WITHOUT_SECRETS))
async def test_no_compressed_answer_has_a_property_for_a_secret(route: str) -> None:
    assert route in {each.label for each in ROUTES}
    answer = DOCUMENT["paths"][route]["get"]["responses"]["200"]
    names = set(_properties(answer["content"]["application/json"]["schema"]))
    assert names
    assert not [name for name in names for secret in ("token", "secret", "password", "link") if secret in name.lower()]
