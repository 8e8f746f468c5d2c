"""A stand-alone gateway while upstreams fail: requests go elsewhere, and no message is sent twice."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.gateway.alone import QUICK, Start, Switchable
from tests.gateway.upstream import Received
from tests.journeys.senders import wait_until_true
from tests.journeys.wire import Answer, Wire, head

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
UNCHECKED = f'{QUICK}\nhealth_path = ""\n'


async def test_requests_are_shared_by_the_number_in_progress(start: Start, switchable: list[Switchable]) -> None:
    allowed = asyncio.Event()

    async def wait(request: Received, reader: Reader, writer: Writer) -> None:
        await allowed.wait()
        await switchable[0].answer(request, reader, writer)

    for each in switchable:
        each.upstream.answer = wait
    gateway = await start(routes=UNCHECKED)
    wires = [await Wire.open(gateway.port) for _ in range(30)]
    for wire in wires:
        wire.writer.write(head("GET", "/", {}))
    await wait_until_true(lambda: sum(len(each.received) for each in switchable) == 30)
    assert [len(each.received) for each in switchable] == [10, 10, 10]
    allowed.set()
    assert {(await wire.answer()).status for wire in wires} == {200}


async def test_the_idempotent_requests_of_a_killed_upstream_are_answered_by_the_others(
    start: Start, switchable: list[Switchable]
) -> None:
    gateway, answers = await start(), Counter[tuple[int, bytes]]()
    ending = asyncio.Event()

    async def client() -> None:
        wire = await Wire.open(gateway.port)
        while not ending.is_set():
            answer = await wire.request("GET", "/")
            answers[answer.status, answer.body] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(12):
            group.create_task(client())
        await wait_until_true(lambda: len(switchable[0].received) > 20)
        await switchable[0].off()
        await gateway.wait_for_status("degraded")
        before = len(switchable[1].received)
        await wait_until_true(lambda: len(switchable[1].received) > before + 20)
        await switchable[0].on()
        await gateway.wait_for_status("ok")
        before = len(switchable[0].received)
        await wait_until_true(lambda: len(switchable[0].received) > before + 5)
        ending.set()
    assert {status for status, _ in answers} == {200}


async def test_without_any_upstream_requests_get_503_until_one_is_back(
    start: Start, switchable: list[Switchable]
) -> None:
    gateway = await start(2)
    for each in switchable[:2]:
        await each.off()
    await gateway.wait_for_status("down")
    answer = await gateway.ask()
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "upstream_unavailable", "1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await gateway.inspect("/health")).status == 503
    await switchable[1].on()
    await gateway.wait_for_status("degraded")
    assert (await gateway.ask()).body == b"b"


async def test_an_upstream_that_hangs_gets_no_more_requests(start: Start, switchable: list[Switchable]) -> None:
    async def hang(_request: Received, reader: Reader, _writer: Writer) -> None:
        await reader.read()

    gateway = await start(2)
    switchable[0].upstream.answer = hang
    await gateway.wait_for_status("degraded")
    before = len(switchable[0].received)
    assert {(await gateway.ask()).body for _ in range(20)} == {b"b"}
    assert len(switchable[0].received) == before
    switchable[0].upstream.answer = switchable[0].answer
    await gateway.wait_for_status("ok")


async def test_an_answer_that_is_too_late_is_given_up(start: Start, switchable: list[Switchable]) -> None:
    async def hang(_request: Received, reader: Reader, _writer: Writer) -> None:
        await reader.read()

    switchable[0].upstream.answer = hang
    gateway = await start(1, routes=f"{UNCHECKED}answer_seconds = 0.3")
    answer = await gateway.ask()
    assert (answer.status, answer.code) == (503, "upstream_unavailable")


async def test_slow_bodies_do_not_prevent_a_trial(start: Start, switchable: list[Switchable]) -> None:
    gateway = await start(1, routes=UNCHECKED)
    await switchable[0].off()
    while not (await gateway.health())["upstreams"][0]["open"]:
        await gateway.ask()
    await switchable[0].on()
    # Before the end of the pause, the gateway refuses the request at once.
    waiting: set[asyncio.Future[Answer]] = set()
    while not waiting:
        wire = await Wire.open(gateway.port)
        wire.writer.write(head("POST", "/", {"content-length": "10"}) + b"1")
        _, waiting = await asyncio.wait({asyncio.ensure_future(wire.answer())}, timeout=0.5)
    while (await gateway.ask()).status != 200:
        pass
    [slow] = waiting
    assert not slow.done()
    slow.cancel()


@pytest.mark.parametrize(("method", "repeated"), [("GET", True), ("DELETE", True), ("POST", False), ("PATCH", False)])
async def test_only_idempotent_requests_are_repeated(
    start: Start, switchable: list[Switchable], method: str, *, repeated: bool
) -> None:
    async def leave(_request: Received, _reader: Reader, writer: Writer) -> None:
        writer.transport.abort()

    for each in switchable[:2]:
        each.upstream.answer = leave
    gateway = await start(3, routes=UNCHECKED)
    # Over three upstreams in turns, the first requests meet at least one of the two that leave.
    answers = [await gateway.ask(method, f"/{number}") for number in range(3)]
    targets = Counter(request.target for each in switchable for request in each.received)
    assert set(targets) == {"/0", "/1", "/2"}
    if repeated:
        assert {answer.status for answer in answers} == {200}
        assert max(targets.values()) > 1
    else:
        assert {answer.status for answer in answers} == {200, 503}
        assert max(targets.values()) == 1


async def test_a_request_with_a_body_is_not_repeated(start: Start, switchable: list[Switchable]) -> None:
    async def leave(_request: Received, _reader: Reader, writer: Writer) -> None:
        writer.transport.abort()

    for each in switchable[:2]:
        each.upstream.answer = leave
    gateway = await start(2, routes=UNCHECKED)
    assert (await gateway.ask("PUT", "/", b"content")).status == 503
    assert sum(len(each.received) for each in switchable) == 1


async def test_a_refused_connection_lets_a_message_go_elsewhere(start: Start, switchable: list[Switchable]) -> None:
    gateway = await start(2, routes=UNCHECKED)
    await switchable[0].off()
    answers = [await gateway.ask("POST", "/", b"message %d" % number) for number in range(6)]
    assert {(answer.status, answer.body) for answer in answers} == {(200, b"b")}
    assert [request.body for request in switchable[1].received] == [b"message %d" % number for number in range(6)]


async def test_a_flapping_upstream_gets_few_trials_and_no_message_twice(
    start: Start, switchable: list[Switchable]
) -> None:
    seen = Counter[bytes]()

    async def flap(request: Received, reader: Reader, writer: Writer) -> None:
        seen[request.body] += 1
        if len(switchable[0].received) % 2:
            writer.transport.abort()
        else:
            await switchable[0].answer(request, reader, writer)

    async def good(request: Received, reader: Reader, writer: Writer) -> None:
        seen[request.body] += 1
        await switchable[1].answer(request, reader, writer)

    switchable[0].upstream.answer, switchable[1].upstream.answer = flap, good
    gateway = await start(2, routes=UNCHECKED.replace("failures = 2", "failures = 1"))
    statuses = Counter[int]()
    for number in range(200):
        statuses[(await gateway.ask("POST", "/", b"%d" % number)).status] += 1
    assert set(seen.values()) == {1}
    assert len(seen) == 200
    assert statuses[200] + statuses[503] == 200
    # The breaker is closed for a part of the time only.
    assert 0 < statuses[503] < 50
    assert len(switchable[0].received) < len(switchable[1].received)
