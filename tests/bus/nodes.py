"""A node of these tests: a publisher with its bus, and everything that the node received."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fechatter.api.problems import render_for_gateway
from fechatter.bus.base import Bus
from fechatter.bus.nats import NatsBus
from fechatter.bus.seal import Seal
from fechatter.events import EventType
from fechatter.frames import Frame, Signal
from fechatter.messages.publishing import Publisher
from fechatter.model import WorkspaceId
from fechatter.tasks import Tasks
from tests.servers.process import PATIENCE_SECONDS

ERA = "era"
SECRET = b"the secret that the nodes share."
WAIT_SECONDS = PATIENCE_SECONDS


def frame(seq: int, *, workspace_id: int = 1, block: bytes = b"block", era: str = ERA) -> Frame:
    return Frame(WorkspaceId(workspace_id), seq, EventType.MESSAGE_CREATED, 7, None, block, era=era)


def frames(first: int, last: int) -> list[Frame]:
    return [frame(seq) for seq in range(first, last + 1)]


def signal(block: bytes = b"signal") -> Signal:
    return Signal(WorkspaceId(1), 5, block)


class Node:
    """The frames and signals that one process receives, in order of arrival."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.publisher = Publisher(bus, render_for_gateway, lambda _senders: None)
        self.frames: list[Frame] = []
        self.signals: list[Signal] = []
        self._changed = asyncio.Event()

    @property
    def seqs(self) -> list[int]:
        return [each.seq for each in self.frames]

    def publish(self, published: list[Frame], signals: list[Signal]) -> None:
        self.publisher.publish(published, signals)

    def receive(self, received: list[Frame]) -> None:
        self.frames += received
        self._changed.set()

    def signal(self, received: list[Signal]) -> None:
        self.signals += received
        self._changed.set()

    async def until(self, ready: Callable[[], object]) -> None:
        """Return when `ready` is true. It is called after each message, and every 20 ms."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not ready():
                self._changed.clear()
                try:
                    async with asyncio.timeout(0.02):
                        await self._changed.wait()
                except TimeoutError:
                    continue


@asynccontextmanager
async def started(bus: Bus) -> AsyncIterator[Node]:
    node = Node(bus)
    await node.publisher.start(node.receive, node.signal)
    try:
        yield node
    finally:
        await bus.close()


@asynccontextmanager
async def nats_node(url: str, *, era: str = ERA, secret: bytes = SECRET, connected: bool = True) -> AsyncIterator[Node]:
    """A node on a NATS server. If a task of its bus dies, the test fails.

    Args:
        connected: wait for the connection, because the bus of a busy machine may start without it.
    """
    died: list[BaseException] = []
    tasks = Tasks(lambda _name, error: died.append(error))
    async with started(NatsBus(url, tasks, Seal(secret), lambda: era)) as node:
        try:
            if connected:
                await node.until(lambda: node.bus.state == "ok")
            yield node
        finally:
            await tasks.stop()
    assert died == []
