"""A message has the same answer through the gateway and through the app, and usual messages do not reach the app."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.gateway.doors import CHUNKED, Case, Doors, Sender, comparable_headers, gateway_counts
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head

ROUTE = "/api/chat/{chat_id}/messages"
GOOD = b'{"content": "Good morning"}'
USUAL: dict[str, Case] = {
    "a message": ("own", GOOD, {}),
    "a message with a key": ("own", b'{"content": "a", "idempotency_key": "k1"}', {}),
    "its repeat": ("own", b'{"content": "a", "idempotency_key": "k1"}', {}),
    "its key with another content": ("own", b'{"content": "b", "idempotency_key": "k1"}', {}),
    "a key in the header": ("own", GOOD, {"idempotency-key": "k2"}),
    "a query": ("query", GOOD, {}),
    "a client behind proxies": ("own", GOOD, {"x-forwarded-for": "203.0.113.9", "forwarded": "for=203.0.113.9"}),
    "a page of our own site": ("own", GOOD, {"origin": "http://localhost"}),
    "a chat of others": ("foreign", GOOD, {}),
    "an archived chat": ("archived", GOOD, {}),
    "a chat that does not exist": ("missing", GOOD, {}),
    "escapes": ("own", rb'{"content": "\ud83d\ude00 \u0041"}', {}),
    "the largest body": ("own", GOOD.ljust(64 << 10), {}),
}
UNUSUAL: dict[str, Case] = {
    "no token": ("own", GOOD, {"authorization": ""}),
    "another scheme": ("own", GOOD, {"authorization": "Basic YTpi"}),
    "a broken token": ("own", GOOD, {"authorization": "Bearer a.b.c"}),
    "no JSON": ("own", b"{", {}),
    "invalid UTF-8": ("own", b'{"content": "\xff"}', {}),
    "an empty message": ("own", b'{"content": " "}', {}),
    "an unknown field": ("own", b'{"content": "a", "colour": 1}', {}),
    "an empty body": ("own", b"", {}),
    "another type": ("own", GOOD, {"content-type": "text/plain"}),
    "a charset": ("own", GOOD, {"content-type": "application/json; charset=utf-8"}),
    "chunks": ("own", GOOD, CHUNKED),
    "a compressed body": ("own", GOOD, {"content-encoding": "gzip"}),
    "a key that is not visible": ("own", GOOD, {"idempotency-key": "\u00e9"}),
    "two different keys": ("own", b'{"content": "a", "idempotency_key": "x"}', {"idempotency-key": "y"}),
    "a body that is too large": ("own", GOOD.ljust((64 << 10) + 1), {}),
    "an encoded path": ("encoded", GOOD, {}),
    "a chat id that is too large": ("too large", GOOD, {}),
}


def _comparable(answer: Answer) -> tuple[object, ...]:
    body = answer.json if answer.body else None
    for changing in ("id", "number", "created_at", "request_id"):
        body.pop(changing, None)
    return answer.status, comparable_headers(answer), body


@pytest.mark.parametrize("case", [*USUAL, *UNUSUAL])
async def test_both_doors_return_the_same_answer(doors: Doors, case: str) -> None:
    wanted = {**USUAL, **UNUSUAL}[case]
    by_app, by_gateway = [await sender.send(wanted) for sender in await doors.open()]
    assert _comparable(by_gateway) == _comparable(by_app)


@pytest.mark.parametrize("case", USUAL)
async def test_a_usual_message_does_not_reach_the_app_but_is_counted(doors: Doors, case: str) -> None:
    _, sender = await doors.open()
    proxied, hits, sent = await gateway_counts(doors.gateway, ROUTE, "POST")
    await sender.send(USUAL[case])
    # One of the requests for the metrics reached the app.
    assert await gateway_counts(doors.gateway, ROUTE, "POST") == (proxied + 1, hits, sent + 1)


async def test_the_gateway_never_uses_headers_that_the_connection_names(doors: Doors) -> None:
    _, sender = await doors.open()
    refused = await sender.send(("own", GOOD, {"connection": "authorization"}))
    assert (refused.status, refused.code) == (401, "unauthorized")
    key = {"connection": "close, idempotency-key", "idempotency-key": "named"}
    assert [(await sender.send(("own", GOOD, key))).status for _ in range(2)] == [201, 201]


async def test_both_doors_count_a_quota_together(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, rate_limits="on", messages_per_minute="60", gateway="on") as server:
        sender = await Sender.create(server)
        began = time.monotonic()
        for _ in range(20):
            await sender.send(("own", GOOD, {}))
        answer = await sender.send(("own", GOOD, CHUNKED))
        # The quota refills by one message per second.
        refilled = int(time.monotonic() - began) + 1
    assert answer.remaining <= 60 - 21 + refilled


async def test_the_incomplete_bodies_of_one_person_have_a_limit(doors: Doors) -> None:
    _, sender = await doors.open()
    body = GOOD.ljust(64 << 10)
    request = head(
        "POST",
        sender.paths["own"],
        {
            "authorization": f"Bearer {sender.person.token}",
            "content-type": "application/json",
            "content-length": str(len(body)),
        },
    )
    # 130 such bodies have more than 8 MiB.
    wires = [await Wire.open(doors.gateway.port) for _ in range(130)]
    for wire in wires:
        wire.writer.write(request + body[:-1])
    answers = {asyncio.ensure_future(wire.answer()) for wire in wires}
    done, waiting = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
    assert {(answer.result().status, answer.result().code) for answer in done} == {(503, "batches_full")}
    assert len(waiting) > 100
    for answer in waiting:
        answer.cancel()
    await asyncio.gather(*(wire.abort() for wire in wires))
    while (await sender.send(("own", body, {}))).status == 503:
        pass
