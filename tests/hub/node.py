"""One node of a server over a real database, which a test moves step by step.

Hub and writer are real. The test decides when the node writes a batch, answers its senders, publishes frames, reads the
heads, and performs each read of a joining listener.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from fechatter.api.problems import render_for_gateway
from fechatter.frames import Frame, Signal
from fechatter.hub.hub import Hub
from fechatter.hub.listener import Listener, Reader
from fechatter.messages.publishing import WrittenBatch, answer_senders
from fechatter.model import Actor, Position
from fechatter.settings import Settings
from fechatter.storage.engines.base import Database, Work
from fechatter.tasks import Tasks
from tests.hub.bus import FaultyBus
from tests.world import InterruptedDatabase, WriterNode, raise_on_death

T = TypeVar("T")


class Gate:
    """Stops a joining listener before and after each of its reads."""

    def __init__(self) -> None:
        self._open = False
        self._held: asyncio.Future[None] | None = None
        self._stopped = asyncio.Event()

    async def stop(self) -> None:
        if self._open:
            return
        self._held = asyncio.get_running_loop().create_future()
        self._stopped.set()
        await self._held

    def advance(self) -> None:
        """Continue to the next stop."""
        held, self._held = self._held, None
        self._stopped.clear()
        if held is not None:
            held.set_result(None)

    def open(self) -> None:
        """Remove all stops."""
        self._open = True
        self.advance()

    async def stopped(self) -> None:
        await self._stopped.wait()


_gate: ContextVar[Gate | None] = ContextVar("gate", default=None)


class SteppedDatabase(InterruptedDatabase):
    """A database whose reads stop at the gate of a joining listener."""

    async def read(self, work: Work[T]) -> T:
        gate = _gate.get()
        if gate is None:
            return await self._database.read(work)
        await gate.stop()
        result = await self._database.read(work)
        await gate.stop()
        return result


class Joining:
    """A stream that is opened step by step."""

    def __init__(self, hub: Hub, who: Actor, cursor: Position | None, seen: tuple[Position, ...]) -> None:
        self._gate = Gate()
        reader = Reader(who.user_id, who.workspace_id, who.session_id)
        self.task = asyncio.create_task(self._open(hub, reader, cursor, seen))

    async def _open(self, hub: Hub, reader: Reader, cursor: Position | None, seen: tuple[Position, ...]) -> Listener:
        _gate.set(self._gate)
        return await hub.open(reader, cursor, seen)

    async def step(self) -> None:
        """Continue to the next stop or to the end."""
        self._gate.advance()
        stopped = asyncio.create_task(self._gate.stopped())
        await asyncio.wait({self.task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()

    async def finish(self) -> None:
        """Continue to the end."""
        self._gate.open()
        await asyncio.wait({self.task})

    async def give_up(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


class OwnTasks(Tasks):
    """Tasks that a test can wait for."""

    def __init__(self) -> None:
        super().__init__(raise_on_death)
        self._started: set[asyncio.Task[Any]] = set()

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = super().start(name, work)
        self._started.add(task)
        return task

    async def ended(self) -> None:
        """Wait for all started tasks and the tasks that they start."""
        while self._started:
            task = self._started.pop()
            await asyncio.wait({task})


class SteppedWriter(WriterNode):
    """A writer node that keeps written batches until the test answers and publishes them."""

    def __init__(self, database: InterruptedDatabase, capture: Callable[[list[Frame]], None]) -> None:
        self._capture = capture
        self.crashed = False
        self.unanswered: list[WrittenBatch] = []
        self.unpublished: list[list[Frame]] = []
        self._rows_in = self._rows_out = 0
        self._all_out = asyncio.Event()
        self._thread = database.writer
        super().__init__(database)

    def _finish(self, batch: WrittenBatch) -> None:
        self._capture(batch.frames)
        self._rows_out += len(batch.tickets)
        self._all_out.set()
        if not self.crashed:
            self.unanswered.append(batch)
            if batch.frames:
                self.unpublished.append(batch.frames)

    async def write(self) -> None:
        """Write everything that was pushed, without answering.

        The writer looks for more messages after each batch and at every wake-up. A message pushed in between would be
        stored by no step, and the oracle would miss it. Therefore this method ends only when the writer waits.
        """
        await asyncio.sleep(0)
        self._rows_in += len(self._intake)
        self._writer.wake()
        while self._rows_out < self._rows_in:
            self._all_out.clear()
            await self._all_out.wait()
        await self.turn()

    async def turn(self) -> None:
        """Return when the writer's thread has done everything queued so far."""
        await self._thread.call(_nothing)

    async def answer(self) -> None:
        """Answer the senders."""
        for batch in self.unanswered:
            answer_senders(batch, render_for_gateway)
        self.unanswered.clear()
        await asyncio.sleep(0)


class Node:
    """A node: its database, its hub, its writer and its unpublished frames."""

    def __init__(
        self, database: Database, bus: FaultyBus, settings: Settings, capture: Callable[[list[Frame]], None]
    ) -> None:
        self.real = database
        self.database = SteppedDatabase(database)
        self.unpublished: list[tuple[list[Frame], list[Signal]]] = []
        self._bus, self._settings, self._capture = bus, settings, capture
        self.place = bus.join(self._receive)
        self._begin()

    def _begin(self) -> None:
        self.tasks = OwnTasks()
        self.hub = Hub(cast("Database", self.database), self.tasks, self._settings)
        self.writer_node = SteppedWriter(self.database, self._capture)

    def _receive(self, frames: list[Frame], signals: list[Signal]) -> None:
        self.hub.receive(frames)
        self.hub.signal(signals)

    def take_published(self, frames: list[Frame], signals: list[Signal]) -> None:
        """Record what the database publishes after a commit."""
        self._capture(frames)
        self.unpublished.append((frames, signals))

    def has_feed(self, workspace_id: int) -> bool:
        """Return whether the hub has a feed of the workspace."""
        return workspace_id in self.hub._feeds

    def publish(self, which: int = 0) -> None:
        """Publish the frames of one commit on the bus. Any except the first is out of order."""
        self.unpublished += [(frames, []) for frames in self.writer_node.unpublished]
        self.writer_node.unpublished.clear()
        if self.unpublished:
            self._bus.publish(self.unpublished.pop(which % len(self.unpublished)))

    def publish_all(self) -> None:
        self.publish()
        while self.unpublished:
            self.publish()

    async def poll(self) -> None:
        """Read the heads and fill gaps."""
        await self.hub._read_heads()
        await self.tasks.ended()

    async def check_sessions(self) -> None:
        """Read the session of every stream, as after a minute."""
        for listener in self.hub.streams():
            listener.check_session_at = 0
        await self.hub._close_ended()

    async def crash(self) -> None:
        """Forget everything unpublished and unanswered. Pushed messages may still be committed."""
        self.writer_node.crashed = True
        await self.writer_node.close()
        await self.tasks.stop()
        self.unpublished.clear()
        self._bus.waiting[self.place].clear()
        self._begin()

    async def close(self) -> None:
        await self.writer_node.close()
        await self.tasks.stop()


async def _nothing() -> None:
    pass
