"""Measures many clients that connect at once: `make arrivals` writes the figures to benches/results/.

First, listeners reconnect with their cursors after some messages; meanwhile another process reads its own profile 50
times a second. Then clients arrive: each reads `/api/sync` with 50 chats and opens a stream; meanwhile 64 connections
send 100 messages a second. The clients belong to 250 people. The time ends when the last client is up to date.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import cast

import msgspec
import uvloop

from benches.figures import MeasuredFigures, write_results
from benches.probe import Probe, read_request
from fechatter.bench.connection import open_connection, write_request
from fechatter.bench.own_server import OwnServer
from fechatter.bench.target import LoadTarget
from fechatter.bench.workspace import LoadWorkspace, create_load_workspace

PEOPLE = 250
CHATS = 50
MISSED_MESSAGES = 20
CONNECT_SECONDS = 120.0
QUIET_SECONDS = 3.0
AT_ONCE = 1_000
"""Connections that are being opened at the same time. The kernel's queue of new connections has about this length."""


class Client(asyncio.Protocol):
    """A client of `/events`. `ready` is set when the stream has sent a block with the name `last`."""

    def __init__(self, token: str, cursor: str | None, last: bytes) -> None:
        request = write_request("GET", "/events", token)
        if cursor is not None:
            request = request.replace(b"\r\n\r\n", f"\r\nLast-Event-ID: {cursor}\r\n\r\n".encode())
        self._request = request
        self._last = b"event: " + last + b"\n"
        self._received = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self._received += data
            if self._last in self._received:
                self.ready.set_result(None)
                self._received = b""

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(error or ConnectionResetError(self._received[-300:].decode(errors="replace")))


async def open_client(
    target: LoadTarget, token: str, cursor: str | None, last: bytes, turn: asyncio.Semaphore
) -> Client:
    """Open a stream and wait until it is up to date. Raises OSError, TimeoutError."""
    async with asyncio.timeout(CONNECT_SECONDS), turn:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: Client(token, cursor, last), target.host, target.port)
        await client.ready
    return client


async def arrive(target: LoadTarget, token: str, turn: asyncio.Semaphore) -> Client:
    """Read everything, then follow the stream. Raises Refused, OSError, TimeoutError."""
    async with turn:
        connection = await open_connection(target)
        state = await connection.ask("GET", "/api/sync", token)
        connection.close()
    return await open_client(target, token, state["cursor"], b"resumed", turn)


@contextlib.asynccontextmanager
async def probing(probe: Probe, found: list[tuple[float, float]]) -> AsyncIterator[None]:
    """Run a probe meanwhile, and append what it measured to `found`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benches.probe"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 26
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(probe) + b"\n")
    try:
        await asyncio.sleep(QUIET_SECONDS)
        yield
    finally:
        output, _ = await process.communicate(b"")  # which ends its standard input
    found += msgspec.json.decode(output, type=list[tuple[float, float]])


def p99_ms(found: list[tuple[float, float]], begins: float, ends: float) -> float:
    """Return the 99th percentile of the requests that were due in this time."""
    taken = sorted(seconds for due, seconds in found if begins <= due < ends)
    return taken[len(taken) * 99 // 100] * 1000 if taken else float("nan")


async def reconnect(target: LoadTarget, place: LoadWorkspace, count: int, figures: MeasuredFigures) -> None:
    """Measure listeners that reconnect at once."""
    turn = asyncio.Semaphore(AT_ONCE)
    token = place.people[0].token
    connection = await open_connection(target)
    cursor = (await connection.ask("GET", "/api/sync", token))["cursor"]
    for number in range(MISSED_MESSAGES):
        await connection.ask("POST", f"/api/chat/{place.chats[0]}/messages", token, {"content": f"missed {number}"})
    connection.close()
    found: list[tuple[float, float]] = []
    async with probing(Probe(target.port, [read_request(token)], 8, 50), found):
        began = time.time()
        people = place.people
        clients = await asyncio.gather(
            *(open_client(target, people[n % PEOPLE].token, cursor, b"resumed", turn) for n in range(count))
        )
        ended = time.time()
    figures.add(f"{count:,} clients reconnect: until all are up to date, s", ended - began)
    figures.add(f"{count:,} clients reconnect: reads of another person before, p99, ms", p99_ms(found, 0, began))
    figures.add(f"{count:,} clients reconnect: reads of another person meanwhile, p99, ms", p99_ms(found, began, ended))
    for client in clients:
        client.transport.abort()


async def arrivals(target: LoadTarget, place: LoadWorkspace, count: int, figures: MeasuredFigures) -> None:
    """Measure clients that arrive at once, while others send."""
    turn = asyncio.Semaphore(AT_ONCE)
    body = msgspec.json.encode({"content": "x" * 200})
    sends = [
        write_request("POST", f"/api/chat/{chat}/messages", place.people[n % PEOPLE].token, body).decode()
        for n, chat in enumerate(place.chats)
    ]
    found: list[tuple[float, float]] = []
    async with probing(Probe(target.port, sends, 64, 100), found):
        began = time.time()
        clients = await asyncio.gather(*(arrive(target, place.people[n % PEOPLE].token, turn) for n in range(count)))
        ended = time.time()
    figures.add(f"{count:,} clients arrive: until all are live, s", ended - began)
    figures.add(f"{count:,} clients arrive: sends of others before, p99, ms", p99_ms(found, 0, began))
    figures.add(f"{count:,} clients arrive: sends of others meanwhile, p99, ms", p99_ms(found, began, ended))
    for client in clients:
        client.transport.abort()


async def measure(server: OwnServer, many: int, few: int, figures: MeasuredFigures) -> None:
    place = await create_load_workspace(server.target, server.read_setup_token(), PEOPLE, CHATS)
    await reconnect(server.target, place, many, figures)
    await arrivals(server.target, place, few, figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reconnecting", type=int, default=10_000)
    parser.add_argument("--arriving", type=int, default=1_000)
    options = parser.parse_args()
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A server needs two files for a connection, and some of its own.
    many = min(options.reconnecting, files * 45 // 100)
    figures = MeasuredFigures()
    for _ in range(options.rounds):
        with OwnServer() as server:
            server.start()
            uvloop.run(measure(server, many, options.arriving, figures))
    print(write_results("arrivals", figures))


if __name__ == "__main__":
    main()
