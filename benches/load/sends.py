"""Sends: 64 connections, each sending its next message when the last was answered.

The generator shares the processors with the server, so it is callbacks alone: no task, future or JSON encoder a request.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from typing import cast
from uuid import UUID

import msgspec

from benches.load.place import Place, Server

TEXT = "The quick brown fox jumps over the lazy dog, and then it goes home. " * 3
WARM_UP_SECONDS = 1.0


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


class _Run:
    """What the connections of one measurement share."""

    def __init__(self, began: float, ends: float, keys: bool) -> None:
        self.began = began
        self.ends = ends
        self.keys = keys
        self.latencies: list[float] = []
        self.refused = 0


class _Sender(asyncio.Protocol):
    """One connection; it sends one of `requests` after the other, keys put in."""

    def __init__(self, run: _Run, requests: list[bytes]) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._run = run
        self._requests = requests
        self._received = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionResetError("closed by the server"))

    def _next(self) -> None:
        request = random.choice(self._requests)
        self._sent = time.perf_counter()
        self._transport.write(request % new_key().encode() if self._run.keys else request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        now = time.perf_counter()
        if self._sent >= self._run.began:
            self._run.latencies.append(now - self._sent)
            self._run.refused += head[9:11] != b"20"
        self._received = b""
        if now < self._run.ends:
            self._next()
        elif not self.ended.done():
            self.ended.set_result(None)
            self._transport.close()


def _length(head: bytes) -> int:
    place = head.index(b"ontent-length:") if b"ontent-length:" in head else head.index(b"ontent-Length:")
    return int(head[place + 14 :].split(b"\r", 1)[0])


def _sends(place: Place, number: int, *, keys: bool) -> list[bytes]:
    """One person's message to each chat, ready but for the key, which has always the same length."""
    token = place.people[number % len(place.people)].token.encode()
    body = (b'{"content":"%b","idempotency_key":"%%b"}' if keys else b'{"content":"%b"}') % TEXT.encode()
    length = len(body % (b"-" * 36)) if keys else len(body)
    return [
        b"POST /api/chat/%d/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n" % (chat_id, token, length) + body
        for chat_id in place.chats
    ]


async def measure(server: Server, place: Place, *, connections: int = 64, seconds: float = 8.0, keys: bool = True) -> Sends:
    """Send for so long, after a second of warming up. Raises OSError when the server closes a connection."""
    return await _run(server, [_sends(place, number, keys=keys) for number in range(connections)], seconds, keys=keys)


async def measure_bare(server: Server, *, connections: int = 64, seconds: float = 4.0) -> Sends:
    """Requests that store nothing: what HTTP alone costs on this machine at this moment."""
    return await _run(server, [[b"GET /health/simple HTTP/1.1\r\nHost: localhost\r\n\r\n"]] * connections, seconds, keys=False)


async def _run(server: Server, requests: list[list[bytes]], seconds: float, *, keys: bool) -> Sends:
    loop = asyncio.get_running_loop()
    began = time.perf_counter() + WARM_UP_SECONDS
    run = _Run(began, began + seconds, keys)
    senders = []
    for each in requests:
        _, sender = await loop.create_connection(lambda own=each: _Sender(run, own), "127.0.0.1", server.port)  # type: ignore[misc]
        senders.append(sender)
    await asyncio.sleep(began - time.perf_counter())
    server_cpu, own_cpu = server.cpu_seconds(), time.process_time()
    await asyncio.gather(*(sender.ended for sender in senders))
    return Sends(seconds, sorted(run.latencies), server.cpu_seconds() - server_cpu, time.process_time() - own_cpu, run.refused)
