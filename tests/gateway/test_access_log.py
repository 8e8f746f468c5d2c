"""A request has the same line in the access log, from the gateway and from the app."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.alone import GatewayProcess, Start, Switchable
from tests.gateway.doors import CHUNKED, TOKEN, Sender
from tests.journeys.client import Client
from tests.journeys.metrics import read_metrics
from tests.journeys.senders import wait_until_true
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Wire, head

GOOD = b'{"content": "Good morning"}'
BATCH = b'{"messages": [{"content": "Good morning"}]}'
CHANGING = {"time", "seconds", "request_id"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path, **logging("json")) as server:
        yield server


def logging(log_format: str) -> dict[str, str]:
    how = {"gateway": "on", "access_log": "on", "metrics_token": TOKEN, "trusted_proxies": "127.0.0.1"}
    return {**how, "log_format": log_format}


def lines(server: ServerProcess | GatewayProcess) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]
    return [line for line in found if line["logger"] == "fechatter.access"]


async def line_of(server: ServerProcess | GatewayProcess, request_id: str) -> dict[str, Any]:
    """Return the line of a request once it is written."""

    def found() -> list[dict[str, Any]]:
        return [line for line in lines(server) if line["request_id"] == request_id]

    await wait_until_true(lambda: bool(found()))
    [line] = found()
    return line


@pytest.mark.parametrize(("end", "body"), [("", GOOD), ("/batch", BATCH)])
async def test_a_message_has_the_same_line_from_the_gateway_and_from_the_app(
    server: ServerProcess, end: str, body: bytes
) -> None:
    sender = await Sender.create(server)
    proxied = (await read_metrics(Client(server), TOKEN))["fechatter_gateway_proxied_total"]
    by_gateway = await sender.send(("own", body, {"x-forwarded-for": "203.0.113.9"}), end)
    # One of the requests for the metrics reached the app.
    assert (await read_metrics(Client(server), TOKEN))["fechatter_gateway_proxied_total"] == proxied + 1
    by_app = await sender.send(("own", body, {"x-forwarded-for": "203.0.113.9", **CHUNKED}), end)
    one, other = [await line_of(server, answer.headers["x-request-id"]) for answer in (by_gateway, by_app)]
    assert list(one) == list(other)
    assert {name: one[name] for name in one if name not in CHANGING} == {
        name: other[name] for name in other if name not in CHANGING
    }
    assert (one["address"], one["status"]) == ("203.0.113.9", by_gateway.status)
    assert 0 < one["seconds"] < 60


async def test_a_page_of_the_client_has_a_line_without_its_path(server: ServerProcess) -> None:
    wire = await Wire.open(server.port)
    answer = await wire.raw(head("GET", "/chats/secret", {"x-request-id": "page-1", "accept-encoding": "br"}))
    assert answer.status == 200
    line = await line_of(server, "page-1")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/chats/{rest}", 200)
    assert "user_id" not in line
    assert "secret" not in server.output


async def test_a_refused_message_has_a_line(server: ServerProcess) -> None:
    sender = await Sender.create(server)
    answer = await sender.send(("foreign", GOOD, {"x-request-id": "refused-1"}))
    line = await line_of(server, "refused-1")
    assert line["status"] == answer.status == 404


async def test_lines_can_be_read_by_people_and_the_last_ones_are_written_at_a_stop(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, **logging("text")) as server:
        sender = await Sender.create(server)
        for number in range(50):
            await sender.send(("own", GOOD, {"x-request-id": f"text-{number}"}))
        await asyncio.to_thread(server.stop)
        written = [line for line in server.output.splitlines() if "request_id=text-" in line]
        assert len(written) == 50
        assert " INFO     fechatter.access: POST /api/chat/{chat_id}/messages 201 request_id=text-0 " in written[0]


async def test_there_are_no_lines_below_the_level_of_the_log(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, **logging("json"), log_level="warning") as server:
        sender = await Sender.create(server)
        assert (await sender.send(("own", GOOD, {}))).status == 201
        # A stop writes the last lines.
        await asyncio.to_thread(server.stop)
        assert not lines(server)


async def test_a_stand_alone_gateway_has_a_line_for_each_request_without_its_path(
    start: Start, switchable: list[Switchable]
) -> None:
    a, b, _ = switchable
    gateway = await start(1, "--route", f"/api={b.url}", "--deny", "/api/x", **logging("json"))
    sent = {"x-forwarded-for": "203.0.113.9", "x-request-id": "one"}
    assert (await gateway.ask(path="/api/invitations/secret?token=secret", headers=sent)).status == 200
    line = await line_of(gateway, "one")
    assert 0 < line["seconds"] < 60
    assert {name: line[name] for name in ("method", "route", "status", "address", "upstream")} == {
        "method": "GET",
        "route": "/api",
        "status": 200,
        "address": "203.0.113.9",
        "upstream": f"tcp:127.0.0.1:{b.port}",
    }
    assert "secret" not in gateway.output
    await gateway.ask("POST", "/other", headers={"x-request-id": "two"})
    other = await line_of(gateway, "two")
    assert (other["message"], other["upstream"]) == ("POST / 200", f"tcp:127.0.0.1:{a.port}")


async def test_a_request_that_no_upstream_answers_has_a_line(start: Start, switchable: list[Switchable]) -> None:
    gateway = await start(1, "--deny", "/api/x", **logging("json"))
    assert (await gateway.ask(path="/api/x", headers={"x-request-id": "denied"})).status == 404
    await switchable[0].off()
    assert (await gateway.ask(headers={"x-request-id": "down"})).status == 503
    for request_id, status in [("denied", 404), ("down", 503)]:
        line = await line_of(gateway, request_id)
        assert (line["status"], "upstream" in line) == (status, False)


async def test_the_last_lines_of_a_stand_alone_gateway_are_written_at_a_stop(
    start: Start, switchable: list[Switchable]
) -> None:
    gateway = await start(1, **logging("text"))
    for number in range(50):
        await gateway.ask(headers={"x-request-id": f"text-{number}"})
    await gateway.stop()
    assert len([line for line in gateway.output.splitlines() if "request_id=text-" in line]) == 50


async def test_a_stand_alone_gateway_has_no_lines_by_default(start: Start, switchable: list[Switchable]) -> None:
    gateway = await start(1, log_format="json")
    assert (await gateway.ask()).status == 200
    await gateway.stop()
    assert not lines(gateway)
