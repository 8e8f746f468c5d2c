"""Measures live streams: how fast messages reach them, and how much memory a quiet stream costs."""

from __future__ import annotations

import asyncio
import re
import time
from typing import cast

from fechatter.bench.connection import write_request
from fechatter.bench.requests import DUE_DIGITS
from fechatter.bench.target import LoadTarget
from fechatter.bench.workspace import LoadWorkspace

CREATED = b"event: message.created\n"
DUE = re.compile(rb'"content":"(\d{%d}) ' % DUE_DIGITS)
OPEN_AT_ONCE = 50
HELLO_SECONDS = 30.0
SETTLE_SECONDS = 1.0


class Stream(asyncio.Protocol):
    """One /events stream; it counts the messages that it receives.

    Attributes:
        latencies: seconds from the moment when a message was due to its arrival. Only streams with `times` measure
            them, because that has a cost.
    """

    def __init__(self, token: str, *, times: bool) -> None:
        self._request = write_request("GET", "/events", token)
        self._times = times
        self.latencies: list[float] = []
        self.messages = 0
        self.last_at = 0.0
        loop = asyncio.get_running_loop()
        self.live: asyncio.Future[None] = loop.create_future()
        self._tail = b""
        self._aim = 0
        self._reached: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        for waiting in (self.live, self._reached):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error or ConnectionResetError("the server closed a stream"))

    def data_received(self, data: bytes) -> None:
        if not self.live.done() and b"event: hello" in data:
            self.live.set_result(None)
        seen = self._tail + data
        self.messages += seen.count(CREATED)
        # The tail is shorter than the name, so a name that was cut in two is counted once.
        self._tail = seen[-len(CREATED) + 1 :]
        self.last_at = time.perf_counter()
        if self._times:
            self.latencies += [self.last_at - int(due) / 1e9 for due in DUE.findall(data)]
        if self._reached is not None and not self._reached.done() and self.messages >= self._aim:
            self._reached.set_result(None)

    async def reach(self, messages: int) -> None:
        """Wait until the stream has received this many messages in total. Raises OSError."""
        if self.messages < messages:
            self._aim, self._reached = messages, asyncio.get_running_loop().create_future()
            await self._reached

    def close(self) -> None:
        self._transport.close()


async def listen(target: LoadTarget, workspace: LoadWorkspace, count: int, *, timing: int = 0) -> list[Stream]:
    """Open streams and wait for the hello of each. The first `timing` streams measure latencies.

    Raises:
        OSError, TimeoutError: the server does not answer.
    """
    streams: list[Stream] = []
    for first in range(0, count, OPEN_AT_ONCE):
        opened = [
            await _open(target, workspace, number, times=number < timing)
            for number in range(first, min(count, first + OPEN_AT_ONCE))
        ]
        streams += opened
        async with asyncio.timeout(HELLO_SECONDS):
            await asyncio.gather(*(stream.live for stream in opened))
    return streams


async def _open(target: LoadTarget, workspace: LoadWorkspace, number: int, *, times: bool) -> Stream:
    token = workspace.people[number % len(workspace.people)].token
    return await target.connect(lambda: Stream(token, times=times))


async def idle_bytes(target: LoadTarget, workspace: LoadWorkspace, count: int) -> float | None:
    """Return the server's memory per quiet stream, or None if it is unknown. Raises OSError, TimeoutError."""
    first = await listen(target, workspace, min(count, OPEN_AT_ONCE))
    await asyncio.sleep(SETTLE_SECONDS)
    before = target.memory_bytes()
    streams = await listen(target, workspace, count)
    await asyncio.sleep(SETTLE_SECONDS)
    after = target.memory_bytes()
    for stream in [*first, *streams]:
        stream.close()
    return None if before is None or after is None else (after - before) / count
