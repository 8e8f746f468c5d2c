"""A batch has the same answer through the gateway and through the app, and usual batches do not reach the app."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.gateway.doors import CHUNKED, Case, Doors, Sender, comparable_headers, gateway_counts, without_fields
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head

ROUTE = "/api/chat/{chat_id}/messages/batch"
END = "/batch"


def _batch(*messages: str) -> bytes:
    return f'{{"messages": [{", ".join(messages)}]}}'.encode()


GOOD = '{"content": "Good morning"}'
KEYED = '{"content": "a", "idempotency_key": "k1"}'
OTHER = '{"content": "b", "idempotency_key": "k1"}'
USUAL: dict[str, Case] = {
    "one message": ("own", _batch(GOOD), {}),
    "the most messages": ("own", _batch(*[GOOD] * 100), {}),
    "a key": ("own", _batch(KEYED, GOOD), {}),
    "a key that was used before": ("own", _batch(GOOD, KEYED), {}),
    "a key with another content": ("own", _batch(GOOD, OTHER, GOOD), {}),
    "a key twice": ("own", _batch(KEYED.replace("k1", "k2"), KEYED.replace("k1", "k2")), {}),
    "a key with two contents": ("own", _batch(KEYED.replace("k1", "k3"), OTHER.replace("k1", "k3"), GOOD), {}),
    "a key in the header, which means nothing": ("own", _batch(GOOD), {"idempotency-key": "k4"}),
    "a chat of others": ("foreign", _batch(GOOD, GOOD), {}),
    "an archived chat": ("archived", _batch(GOOD, GOOD), {}),
    "a chat that does not exist": ("missing", _batch(GOOD), {}),
    "escapes": ("own", _batch(rb'{"content": "\ud83d\ude00 \u0041"}'.decode()), {}),
    "a query": ("query", _batch(GOOD), {}),
    "the largest usual body": ("own", _batch(GOOD).ljust(64 << 10), {}),
}
UNUSUAL: dict[str, Case] = {
    "an invalid message": ("own", _batch(GOOD, '{"content": ""}', GOOD), {}),
    "two invalid messages": ("own", _batch('{"content": 1}', GOOD, '{"content": "a", "colour": 1}'), {}),
    "only invalid messages": ("own", _batch("1", "{}"), {}),
    "a nul character": ("own", _batch(GOOD, rb'{"content": "\u0000"}'.decode()), {}),
    "half a surrogate pair": ("own", _batch(GOOD, rb'{"content": "\ud83d"}'.decode()), {}),
    "no message": ("own", _batch(), {}),
    "too many messages": ("own", _batch(*[GOOD] * 101), {}),
    "another object": ("own", b'{"message": []}', {}),
    "no list": ("own", b'{"messages": {}}', {}),
    "a list twice": ("own", b'{"messages": [], "messages": []}', {}),
    "no JSON": ("own", b'{"messages": [', {}),
    "deep JSON": ("own", _batch(GOOD, "[" * 64 + "]" * 64), {}),
    "invalid UTF-8": ("own", b'{"messages": [{"content": "\xff"}]}', {}),
    "an empty body": ("own", b"", {}),
    "no token": ("own", _batch(GOOD), {"authorization": ""}),
    "a broken token": ("own", _batch(GOOD), {"authorization": "Bearer a.b.c"}),
    "another type": ("own", _batch(GOOD), {"content-type": "text/plain"}),
    "a charset": ("own", _batch(GOOD), {"content-type": "application/json; charset=utf-8"}),
    "chunks": ("own", _batch(GOOD), CHUNKED),
    "a compressed body": ("own", _batch(GOOD), {"content-encoding": "gzip"}),
    "a large body": ("own", _batch(GOOD).ljust((64 << 10) + 1), {}),
    "a body that is too large": ("own", _batch(GOOD).ljust((6 << 20) + 1), {}),
    "an encoded path": ("encoded", _batch(GOOD), {}),
    "a chat id that is too large": ("too large", _batch(GOOD), {}),
}
CHANGING = {"id", "number", "created_at", "request_id"}


def _comparable(answer: Answer) -> tuple[object, ...]:
    return answer.status, comparable_headers(answer), without_fields(answer.json, CHANGING.__contains__)


@pytest.mark.parametrize("case", [*USUAL, *UNUSUAL])
async def test_both_doors_return_the_same_answer(doors: Doors, case: str) -> None:
    wanted = {**USUAL, **UNUSUAL}[case]
    by_app, by_gateway = [await sender.send(wanted, END) for sender in await doors.open()]
    assert _comparable(by_gateway) == _comparable(by_app)


@pytest.mark.parametrize("case", USUAL)
async def test_a_usual_batch_does_not_reach_the_app_but_is_counted(doors: Doors, case: str) -> None:
    _, sender = await doors.open()
    proxied, hits, sent = await gateway_counts(doors.gateway, ROUTE, "POST")
    await sender.send(USUAL[case], END)
    # One of the requests for the metrics reached the app.
    assert await gateway_counts(doors.gateway, ROUTE, "POST") == (proxied + 1, hits, sent + 1)


async def test_only_the_message_that_causes_a_failure_fails(doors: Doors) -> None:
    _, sender = await doors.open()
    first = KEYED.replace("k1", "row")
    answer = await sender.send(("own", _batch(GOOD, first, OTHER.replace("k1", "row"), GOOD), {}), END)
    assert [each["status"] for each in answer.json["results"]] == [201, 201, 409, 201]
    numbers = [each["message"]["number"] for each in answer.json["results"] if "message" in each]
    assert numbers == list(range(numbers[0], numbers[0] + 3))


async def test_both_doors_count_the_messages_of_a_batch_together(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, rate_limits="on", messages_per_minute="300", gateway="on") as server:
        sender = await Sender.create(server)
        began = time.monotonic()
        doors: list[dict[str, str]] = [{}, CHUNKED, {}]
        for number, headers in enumerate(doors, 1):
            answer = await sender.send(("own", _batch(*[GOOD] * 50), headers), END)
            # The quota refills by five messages per second.
            refilled = int(5 * (time.monotonic() - began)) + 1
            assert answer.remaining <= 300 - 50 * number + refilled


async def test_both_doors_limit_concurrent_batches_together(doors: Doors) -> None:
    _, sender = await doors.open()
    headers = {"authorization": f"Bearer {sender.person.token}", "content-type": "application/json"}
    path, port = sender.paths["own"] + END, sender.person.server.port
    # More than four, because a batch below may be in the way of one of the first.
    waiting = [await Wire.open(port) for _ in range(8)]
    for number, wire in enumerate(waiting):
        # Half of them wait in the gateway for their body, the others in the app.
        framing = CHUNKED if number % 2 else {"content-length": "1000"}
        wire.writer.write(head("POST", path, headers | framing) + (b"1\r\n{\r\n" if number % 2 else b"{"))
    good = ("own", _batch(GOOD), {})
    # Each of these is a request too, so another limit may be reached first.
    while (answer := await sender.send(good, END)).status != 429 or answer.code != "too_many_at_once":
        pass
    await asyncio.gather(*(wire.abort() for wire in waiting))
    while (await sender.send(good, END)).status == 429:
        pass
