"""Listeners: how many deliveries a second reach a thousand streams, and what an idle stream costs."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import cast

import msgspec
import orjson

from benches.load.connection import Connection, post
from benches.load.place import Place, Server
from benches.load.sends import TEXT


class Listening(asyncio.Protocol):
    """One /events stream; counts the message frames it was sent."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.frames = 0
        self.last_at = 0.0
        self.live = asyncio.get_running_loop().create_future()
        self._tail = b""
        self._aim = 0
        self._reached: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(f"GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if not self.live.done() and b"event: hello" in data:
            self.live.set_result(None)
        seen = self._tail + data
        self.frames += seen.count(b"event: message.created\n")
        self._tail = seen[-22:] if b"event: message.created\n" not in seen[-22:] else b""
        self.last_at = time.perf_counter()
        if self._reached is not None and self.frames >= self._aim:
            self._reached.set_result(None)
            self._reached = None

    async def reach(self, frames: int) -> None:
        """Return once so many message frames have come since the stream began."""
        if self.frames < frames:
            self._aim, self._reached = frames, asyncio.get_running_loop().create_future()
            await self._reached


class Deliveries(msgspec.Struct):
    listeners: int
    messages: int
    delivered: int
    seconds: float
    server_cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.delivered / self.seconds


async def listen(server: Server, place: Place, count: int) -> list[Listening]:
    """Open streams, some at a time, and wait until each said hello."""
    loop = asyncio.get_running_loop()
    streams: list[Listening] = []
    for first in range(0, count, 50):
        tokens = [place.people[number % len(place.people)].token for number in range(first, min(count, first + 50))]
        opened = [await loop.create_connection(functools.partial(Listening, token), "127.0.0.1", server.port) for token in tokens]
        streams += [stream for _, stream in opened]
        await asyncio.wait_for(asyncio.gather(*(stream.live for _, stream in opened)), 30)
    return streams


async def deliveries(server: Server, place: Place, streams: list[Listening], *, senders: int = 16, messages: int = 1600) -> Deliveries:
    """Send to one chat of all, and wait until every stream has every message."""
    before = [stream.frames for stream in streams]
    cpu, began = server.cpu_seconds(), time.perf_counter()

    async def send(number: int) -> None:
        connection = await Connection.open("127.0.0.1", server.port)
        person = place.people[number % len(place.people)]
        for _ in range(messages // senders):
            status, answer = await connection.request(
                post(f"/api/chat/{place.chats[0]}/messages", person.token, orjson.dumps({"content": TEXT}))
            )
            assert status == 201, answer
        connection.close()

    await asyncio.gather(*(send(number) for number in range(senders)))
    await asyncio.wait_for(asyncio.gather(*(stream.reach(old + messages) for stream, old in zip(streams, before, strict=True))), 60)
    delivered = sum(stream.frames - old for stream, old in zip(streams, before, strict=True))
    seconds = max(stream.last_at for stream in streams) - began
    return Deliveries(len(streams), messages, delivered, seconds, server.cpu_seconds() - cpu)


async def idle_bytes(server: Server, place: Place, count: int) -> float:
    """Memory of the server per open, quiet stream."""
    first = await listen(server, place, 50)
    await asyncio.sleep(1)
    before = server.memory_bytes()
    streams = await listen(server, place, count)
    await asyncio.sleep(1)
    cost = (server.memory_bytes() - before) / count
    for stream in [*first, *streams]:
        stream.transport.close()
    await asyncio.sleep(0.5)
    return cost
