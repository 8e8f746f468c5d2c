"""Sends: 64 connections, each sending its next message when the last was answered."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from uuid import UUID

import msgspec
import orjson

from benches.load.connection import Connection, post
from benches.load.place import Place, Server

TEXT = "The quick brown fox jumps over the lazy dog, and then it goes home. " * 3


class Sends(msgspec.Struct):
    """Latencies in seconds, sorted; a closed loop, so a slow server is asked less."""

    seconds: float
    latencies: list[float]
    server_cpu_seconds: float
    generator_cpu_seconds: float
    refused: int

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def at(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


_counter = itertools.count()


def new_key() -> str:
    """A UUIDv7: ordered in time."""
    value = (time.time_ns() // 1_000_000 << 80) | 0x7000 << 64 | (next(_counter) & 0xFFF) << 64 | 0x8000 << 48 | random.getrandbits(48)
    return str(UUID(int=value))


async def measure(server: Server, place: Place, *, connections: int = 64, seconds: float = 8.0, keys: bool = True) -> Sends:
    """Send for so long, after a second of warming up."""
    opened = [await Connection.open("127.0.0.1", server.port) for _ in range(connections)]
    latencies: list[float] = []
    refused = 0
    began = time.perf_counter() + 1.0
    ends = began + seconds
    cpu = [0.0, 0.0]

    async def one(number: int, connection: Connection) -> None:
        nonlocal refused
        person = place.people[number % len(place.people)]
        while (now := time.perf_counter()) < ends:
            body = {"content": TEXT, "idempotency_key": new_key()} if keys else {"content": TEXT}
            chat_id = random.choice(place.chats)
            status, _ = await connection.request(post(f"/api/chat/{chat_id}/messages", person.token, orjson.dumps(body)))
            if now >= began:
                latencies.append(time.perf_counter() - now)
                refused += status != 201

    async def clock() -> None:
        await asyncio.sleep(began - time.perf_counter())
        cpu[:] = [server.cpu_seconds(), time.process_time()]

    await asyncio.gather(clock(), *(one(number, connection) for number, connection in enumerate(opened)))
    for connection in opened:
        connection.close()
    return Sends(seconds, sorted(latencies), server.cpu_seconds() - cpu[0], time.process_time() - cpu[1], refused)
