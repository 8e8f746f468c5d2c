"""Sends requests to a server over many connections, in one of two ways.

Closed loop: each connection sends its next request after the response to the last one. This measures capacity. Its
latencies are those of a server at full load, and a slow server receives fewer requests.

Open loop: requests are due at a fixed rate, whatever the server does. A latency counts from the moment when the request
was due, not when it could be sent. A server that stops is therefore charged for every waiting request (no coordinated
omission).
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from functools import partial

import msgspec

from fechatter.bench.connection import Connection
from fechatter.bench.target import LoadTarget
from fechatter.bench.timing import Timing

Write = Callable[[float], bytes]
"""Returns the bytes of a request for the time when it is due, in seconds of `time.perf_counter`."""

WARM_UP_SECONDS = 1.0
DRAIN_SECONDS = 10.0
"""How long to wait for outstanding responses at the end."""


class Request(msgspec.Struct):
    """A request that has no response yet.

    Attributes:
        due: in seconds of `time.perf_counter`.
        reopened: whether a connection was opened for it.
    """

    due: float
    content: bytes
    reopened: bool = False


class Load(ABC):
    """The connections of one measurement. `run` puts load on a server for `seconds`, after a warm-up."""

    def __init__(
        self, target: LoadTarget, writes: list[Write], seconds: float, warm_up: float = WARM_UP_SECONDS
    ) -> None:
        """Prepare one connection for each of `writes`."""
        self._target = target
        self._writes = writes
        self._seconds = seconds
        self._warm_up = warm_up
        self._connections: list[Connection] = []
        self._under_way: dict[Connection, Request] = {}
        self._reopening: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[None]

    async def run(self) -> Timing:
        """Put load on the server, and return the measurements. Raises OSError, TimeoutError."""
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        self._connections = [await self._target.connect(Connection) for _ in self._writes]
        for connection in self._connections:
            connection.lost = partial(self._lost, connection)
        self._write = dict(zip(self._connections, self._writes, strict=True))
        gc.disable()
        try:
            return await self._measure()
        finally:
            gc.enable()
            for task in list(self._reopening):
                task.cancel()
            for connection in self._connections:
                connection.close()

    async def _measure(self) -> Timing:
        self._begins = time.perf_counter() + self._warm_up
        self._ends = self._begins + self._seconds
        self.timing = Timing(self._target)
        self._loop.call_at(self._loop.time() + self._warm_up, self.timing.start)
        self._loop.call_at(self._loop.time() + self._warm_up + self._seconds, self._end)
        self._start()
        async with asyncio.timeout(self._warm_up + self._seconds + 2 * DRAIN_SECONDS):
            await self._over
        return self.timing

    def _end(self) -> None:
        self.timing.stop()
        self._loop.call_later(DRAIN_SECONDS, self._finish)
        self._finish_when_idle()

    def _finish_when_idle(self) -> None:
        if not self._under_way and not self._late():
            self._finish()

    def _finish(self) -> None:
        """Finish the measurement. Requests without a response count with the time that they have waited."""
        for due in [*(request.due for request in self._under_way.values()), *self._late()]:
            if due >= self._begins:
                self.timing.add(time.perf_counter() - due, 0)
        if not self._over.done():
            self._over.set_result(None)

    def _lost(self, connection: Connection, error: Exception) -> None:
        """Send a request again if the server closed the idle connection at the same moment."""
        request = self._under_way.get(connection)
        if request is None:
            return
        if connection.answering or request.reopened:
            self._fail(error)
        elif not self._over.done():
            self._reopen(connection, request)

    def _fail(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)

    def _send(self, connection: Connection, due: float) -> None:
        request = self._under_way[connection] = Request(due, self._write[connection](due))
        if connection.closed:
            self._reopen(connection, request)
        else:
            self._call(connection, request)

    def _reopen(self, connection: Connection, request: Request) -> None:
        request.reopened = True
        task = self._loop.create_task(self._call_again(connection, request))
        self._reopening.add(task)
        task.add_done_callback(self._reopening.discard)

    async def _call_again(self, connection: Connection, request: Request) -> None:
        try:
            await self._target.connect(lambda: connection)
        except OSError as error:  # also TimeoutError
            self._fail(error)
        else:
            self.timing.reopened += 1
            self._call(connection, request)

    def _call(self, connection: Connection, request: Request) -> None:
        connection.call(request.content, lambda status, _: self._answered(connection, request.due, status))

    def _answered(self, connection: Connection, due: float, status: int) -> None:
        now = time.perf_counter()
        del self._under_way[connection]
        if due >= self._begins:
            self.timing.add(now - due, status)
        self._next(connection, now)
        if now >= self._ends:
            self._finish_when_idle()

    @abstractmethod
    def _start(self) -> None: ...

    @abstractmethod
    def _next(self, connection: Connection, now: float) -> None:
        """Use a connection that has become free."""

    @abstractmethod
    def _late(self) -> list[float]:
        """Return the due times of the requests that still wait for a free connection."""


class ClosedLoop(Load):
    """Sends as many requests as the server answers."""

    def _start(self) -> None:
        for connection in self._connections:
            self._send(connection, time.perf_counter())

    def _next(self, connection: Connection, now: float) -> None:
        if now < self._ends:
            self._send(connection, now)

    def _late(self) -> list[float]:
        return []


class OpenLoop(Load):
    """Sends `rate` requests per second, evenly spaced."""

    def __init__(
        self, target: LoadTarget, writes: list[Write], seconds: float, rate: float, warm_up: float = WARM_UP_SECONDS
    ) -> None:
        super().__init__(target, writes, seconds, warm_up)
        self._pause = 1 / rate

    def _start(self) -> None:
        # The connections take turns, so that none is idle for longer than the others.
        self._free = deque(random.sample(self._connections, len(self._connections)))
        self._waiting: deque[float] = deque()  # bounded by rate * seconds
        self._due = time.perf_counter()
        self._tick()

    def _tick(self) -> None:
        now = time.perf_counter()
        while self._due <= now and self._due < self._ends:
            if self._free:
                if self._due >= self._begins:
                    self.timing.late.append(now - self._due)
                self._send(self._free.popleft(), self._due)
            else:
                self._waiting.append(self._due)
            self._due += self._pause
        if self._due < self._ends:
            self._loop.call_later(max(0.0, self._due - time.perf_counter()), self._tick)

    def _next(self, connection: Connection, now: float) -> None:
        if self._waiting:
            self._send(connection, self._waiting.popleft())
        else:
            self._free.append(connection)

    def _late(self) -> list[float]:
        return list(self._waiting)
