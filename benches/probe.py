"""Sends requests at a fixed rate in a process of its own, until its standard input ends.

It reads a `Probe` as one line of JSON. At the end it prints when each request was due and how long its answer took.
"""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec
import uvloop

from fechatter.bench.connection import Connection, open_connection, write_request
from fechatter.bench.target import LoadTarget


class Probe(msgspec.Struct, frozen=True):
    """What to send: requests that take turns. Each connection has one request under way."""

    port: int
    requests: list[str]
    connections: int
    rate: float


async def run(probe: Probe) -> list[tuple[float, float]]:
    """Return the due time of each request, in seconds of `time.time`, and the seconds until its answer."""
    target = LoadTarget("127.0.0.1", probe.port)
    free = [await open_connection(target) for _ in range(probe.connections)]
    found: list[tuple[float, float]] = []
    running: set[asyncio.Task[None]] = set()

    async def ask(connection: Connection, request: bytes, due: float) -> None:
        status, answer = await connection.request(request)
        assert status < 300, answer
        found.append((due, time.time() - due))
        free.append(connection)

    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    due, number = time.time(), 0
    while not ended.done():
        await asyncio.sleep(max(due - time.time(), 0.0005))
        while due <= time.time() and free:
            request = probe.requests[number % len(probe.requests)].encode()
            task = asyncio.get_running_loop().create_task(ask(free.pop(0), request, due))
            running.add(task)
            task.add_done_callback(running.discard)
            due, number = due + 1 / probe.rate, number + 1
    await asyncio.gather(*running)
    return found


def read_request(token: str) -> str:
    """Return the request for a person's own profile."""
    return write_request("GET", "/api/users/me", token).decode()


def main() -> None:
    probe = msgspec.json.decode(sys.stdin.readline(), type=Probe)
    print(msgspec.json.encode(uvloop.run(run(probe))).decode())


if __name__ == "__main__":
    main()
