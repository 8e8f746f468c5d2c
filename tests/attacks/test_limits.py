"""Rate limits: excessive requests are refused with the limit in the headers, and other users are not affected."""

from __future__ import annotations

import asyncio
import math
import time

import pytest

from tests.attacks.conftest import METRICS_TOKEN, NARROW
from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import read_metrics
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Refused, Stream
from tests.journeys.wire import Answer, Wire, head
from tests.servers.process import PATIENCE_SECONDS

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
MESSAGES, REQUESTS, STRANGERS = (int(value) for value in NARROW.values())
MAX_BATCHES = 4


def check_refused(answer: Answer, code: str, name: str | None = None, count: int = 0) -> None:
    assert (answer.status, answer.code) == (429, code)
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    if name is not None:
        assert answer.headers["ratelimit-policy"] == f'"{name}";q={count};w=60'
        assert answer.headers["ratelimit"] == f'"{name}";r=0;t={answer.headers["retry-after"]}'


async def begin_request(server: ServerProcess, path: str, person: Client | None = None) -> Wire:
    """Begin a request whose body never completes."""
    wire = await Wire.open(server.port)
    own = {"authorization": f"Bearer {person.token}"} if person else {}
    wire.writer.write(head("POST", path, {"content-length": "100", **own}) + b"{")
    return wire


async def refused_stream(person: Client) -> Answer:
    """Return the refusal of a stream. The quota refills by one every 0.2 s, so this may need more than one try."""
    while True:
        while (await person.ask("GET", "/api/chat")).status != 429:
            pass
        try:
            stream = await Stream.open(person.server.port, person.token)
        except Refused as refused:
            return refused.answer
        stream.close()


async def test_a_person_who_sends_too_many_messages_is_refused_and_others_are_not(
    limited_server: ServerProcess,
) -> None:
    ada = await owner(limited_server)
    bob = await colleague(ada)
    path = f"/api/chat/{(await ada.chat('public_channel'))['id']}/messages"
    began = time.monotonic()
    first = await ada.ask("POST", path, {"content": "a"})
    assert (first.headers["ratelimit-policy"], first.headers["ratelimit"]) == (
        '"messages";q=60;w=60',
        '"messages";r=59;t=2',
    )
    batch = await ada.ask("POST", f"{path}/batch", {"messages": [{"content": "b"}] * 50})
    left = int(batch.headers["ratelimit"].rpartition('"messages";r=')[2].split(";")[0])
    # The quota is refilled by one message per second.
    assert 9 <= left <= 9 + math.ceil(time.monotonic() - began)
    rest = [await ada.ask("POST", path, {"content": "c"}) for _ in range(MESSAGES)]
    assert {answer.status for answer in rest} == {201, 429}
    check_refused(next(answer for answer in rest if answer.status == 429), "rate_limited", "messages", MESSAGES)
    await bob.ask("POST", path.replace("/messages", "/join"))
    assert (await bob.ask("POST", path, {"content": "d"})).status == 201
    sent = [answer.json["id"] for answer in rest if answer.status == 201]
    assert [message["id"] for message in await ada.history(int(path.split("/")[3]))][51:-1] == sent


async def test_a_person_who_makes_too_many_requests_is_refused_and_others_are_not(
    limited_server: ServerProcess,
) -> None:
    ada = await owner(limited_server)
    bob = await colleague(ada)
    statuses = {(await ada.ask("GET", "/api/users/me")).status for _ in range(REQUESTS)}
    for _ in range(REQUESTS):
        if 429 in statuses:
            break
        statuses.add((await ada.ask("GET", "/api/users/me")).status)
    while (answer := await ada.ask("GET", "/api/chat")).status != 429:
        pass
    check_refused(answer, "rate_limited", "requests", REQUESTS)
    check_refused(await refused_stream(ada), "rate_limited", "requests", REQUESTS)
    response = await bob.ask("GET", "/api/users/me")
    assert (response.status, response.headers["ratelimit-policy"]) == (200, f'"requests";q={REQUESTS};w=60')
    assert (await Client(limited_server).ask("GET", "/health/simple")).status == 200


async def test_strangers_at_one_address_can_have_only_their_share_of_open_requests(
    limited_server: ServerProcess,
) -> None:
    ada = await owner(limited_server)
    held = [await begin_request(limited_server, "/api/signin") for _ in range(STRANGERS)]
    stranger = Client(limited_server)
    while (await stranger.ask("GET", "/api/server")).status != 429:
        pass
    check_refused(await stranger.ask("POST", "/api/refresh", {"refresh_token": "1.1.x"}), "too_many_at_once")
    assert (await ada.ask("GET", "/api/users/me")).status == 200
    assert [(await stranger.ask("GET", path)).status for path in ("/health", "/health/simple", "/")] == [200, 200, 200]
    for wire in held:
        wire.close()
    while (answer := await stranger.ask("GET", "/api/server")).status != 200:
        assert answer.status == 429
    assert (answer.status, answer.headers["ratelimit-policy"]) == (200, '"strangers";q=6000;w=60')


async def test_one_person_can_have_only_a_few_large_bodies_open(limited_server: ServerProcess) -> None:
    ada = await owner(limited_server)
    path = f"/api/chat/{(await ada.chat('public_channel'))['id']}/messages/batch"
    held = [await begin_request(limited_server, path, ada) for _ in range(MAX_BATCHES)]
    # The server has read their heads when it accounts for their first bytes.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await read_metrics(ada, METRICS_TOKEN))['fechatter_queue_depth{queue="bodies",unit="bytes"}'] < len(
            held
        ):
            continue
    body = {"messages": [{"content": "a"}]}
    check_refused(await ada.ask("POST", path, body), "too_many_at_once")
    for wire in held:
        wire.close()
    while (answer := await ada.ask("POST", path, body)).status != 200:
        assert answer.code in ("too_many_at_once", "rate_limited")


async def test_without_rate_limits_no_limit_headers_are_sent(server: ServerProcess) -> None:
    ada = await owner(server)
    answer = await ada.ask("GET", "/api/users/me")
    assert answer.status == 200
    assert not {"ratelimit", "ratelimit-policy"} & set(answer.headers)
