"""Sends at the highest rate of the machine through the gateway: a stop answers all of them, and a crash loses none."""

from __future__ import annotations

import asyncio
import logging
import random
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.flood import Flood
from tests.journeys.senders import wait_until_true
from tests.journeys.server import ServerProcess

log = logging.getLogger(__name__)

CHATS = 4
PEOPLE = 8
CRASH_CONNECTIONS = 128
ROUND_SECONDS = 1.2
FILES_PER_CONNECTION = 3
SPARE_FILES = 2_000
LONG_STOP = 5_000
STOP_SECONDS = 2.0


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def own_server(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    url = request.getfixturevalue("postgres_server").create_database() if engine == "postgres" else None
    server = ServerProcess(tmp_path, url, gateway="on", connections_per_address="100000")
    try:
        yield server
    finally:
        server.kill()


async def flood(server: ServerProcess, connections: int) -> tuple[Client, Flood]:
    """Start a server, and return a reader and the senders of its chats, which do not send yet."""
    _raise_limit(connections)
    await asyncio.to_thread(server.start)
    host = await owner(server, setup_token=server.setup_token)
    people = [host, *[await colleague(host) for _ in range(PEOPLE - 1)]]
    chats = [(await host.chat("private_channel", *people[1:]))["id"] for _ in range(CHATS)]
    return host, Flood(people, chats, connections)


def _raise_limit(connections: int) -> None:
    """The server inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections * FILES_PER_CONNECTION + SPARE_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(needed, hard)), hard))


@pytest.mark.parametrize("connections", [200, pytest.param(LONG_STOP, marks=pytest.mark.prove)])
async def test_a_stop_at_the_highest_rate_answers_everything_that_was_accepted(
    own_server: ServerProcess, engine: str, connections: int
) -> None:
    server = own_server
    host, senders = await flood(server, connections)
    async with senders:
        await wait_until_true(lambda: all(sender.acknowledged > 0 for sender in senders.senders))
        before, began = senders.acknowledged, asyncio.get_running_loop().time()
        code, seconds = await asyncio.to_thread(server.stop, signal.SIGTERM)
        rate = (senders.acknowledged - before) / (asyncio.get_running_loop().time() - began)
        log.info("%s, %d connections: stopped after %.2f s at %.0f/s", engine, connections, seconds, rate)
        await asyncio.to_thread(server.start)
    # A repeat gets 200, so no message was stored without an answer in the first run.
    assert (code, senders.statuses[200]) == (0, 0)
    if connections == LONG_STOP:
        assert seconds < STOP_SECONDS
    await senders.check(host)


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=[pytest.mark.prove, pytest.mark.timeout(900)])])
async def test_a_server_killed_at_the_highest_rate_loses_and_repeats_nothing(
    own_server: ServerProcess, engine: str, rounds: int
) -> None:
    server, luck = own_server, random.Random(rounds)
    host, senders = await flood(server, CRASH_CONNECTIONS)
    async with senders:
        for number in range(rounds):
            before, seconds = senders.acknowledged, ROUND_SECONDS * luck.uniform(0.5, 1.5)
            await wait_until_true(lambda before=before: senders.acknowledged > before)
            before = senders.acknowledged
            await asyncio.sleep(seconds)
            log.info("%s, round %d: %.0f/s", engine, number, (senders.acknowledged - before) / seconds)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
    assert senders.statuses[0] >= rounds, "no connection was cut"
    log.info("%s: %d messages, %s", engine, senders.acknowledged, dict(senders.statuses))
    await senders.check(host)
