"""Senders that send without pause and retry until each message is acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from tests.journeys.client import Client, owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Refused, Stream
from tests.journeys.wire import Wire

RETRY_SECONDS = 0.02


class Sender:
    """Sends one message after another to one chat and records the acknowledged ones.

    Attributes:
        acknowledged: the stored message by its content, for every send that got 200 or 201.
        statuses: the number of responses per status; 0 counts broken connections.
    """

    def __init__(self, person: Client, chat_id: int, name: str) -> None:
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.statuses: Counter[int] = Counter()
        self._port = person.server.port
        self._headers = {"authorization": f"Bearer {person.token}", "content-type": "application/json"}
        self._path = f"/api/chat/{chat_id}/messages"
        self._name = name
        self._count = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set. The last message is repeated until it is acknowledged."""
        wire: Wire | None = None
        while not stop.is_set():
            self._count += 1
            content = f"{self._name} {self._count}"
            body = orjson.dumps({"content": content, "idempotency_key": _key()})
            while content not in self.acknowledged:
                wire = await self._try(wire, body, content)
        if wire is not None:
            wire.close()

    async def _try(self, wire: Wire | None, body: bytes, content: str) -> Wire | None:
        try:
            wire = wire or await Wire.open(self._port)
            answer = await wire.request("POST", self._path, body, self._headers)
        except OSError:
            self.statuses[0] += 1
            await asyncio.sleep(RETRY_SECONDS)
            return None
        self.statuses[answer.status] += 1
        if answer.status in (200, 201):
            self.acknowledged[content] = answer.json
        elif answer.status == 503:
            await asyncio.sleep(RETRY_SECONDS)
        else:
            raise ValueError(f"{answer.status} {answer.body!r}")
        return wire


def _key() -> str:
    """Return a random key that starts with the time, as our clients do."""
    return str(uuid.uuid1())


class Follower:
    """Follows a stream and reconnects with its cursor whenever it breaks, over the other transport each time.

    Attributes:
        seen: every durable event in order.
    """

    def __init__(self, person: Client, cursor: str) -> None:
        self.cursor = cursor
        self.seen: list[dict[str, Any]] = []
        self._person = person
        self._moved = asyncio.Event()
        self._transports = itertools.cycle(("sse", "websocket"))

    async def run(self) -> None:
        """Follow until cancelled. Raises ValueError on a `reset`."""
        while True:
            try:
                person, transport = self._person, next(self._transports)
                stream = await Stream.open(person.server.port, person.token, self.cursor, transport=transport)
                await self._follow(stream)
            except OSError:
                pass
            except Refused as refused:
                if refused.answer.status != 503:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def wait_for_cursor(self, cursor: str) -> None:
        """Return once everything up to the cursor has arrived."""
        while self.cursor != cursor:
            self._moved.clear()
            await self._moved.wait()

    async def _follow(self, stream: Stream) -> None:
        try:
            while True:
                event = await stream.block()
                if event.name == "reset":
                    raise ValueError(f"reset: {event.data}")
                if event.name not in (None, "hello", "resumed", "closing", "read.moved", "receipt.moved"):
                    self.seen.append(event.data)
                self.cursor = stream.cursor or self.cursor
                self._moved.set()
        finally:
            stream.close()


class SenderGroup:
    """Several senders in one chat, which run while a test disturbs the server."""

    def __init__(self, person: Client, chat_id: int) -> None:
        self.person = person
        self.chat_id = chat_id
        self._senders = [Sender(person, chat_id, f"sender {number}") for number in range(6)]
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def begin(cls, server: ServerProcess) -> SenderGroup:
        """Create the first owner of a server and a chat. The senders do not run yet."""
        person = await owner(server, setup_token=server.setup_token)
        return cls(person, (await person.chat("public_channel"))["id"])

    def start(self) -> None:
        self._tasks = [asyncio.get_running_loop().create_task(sender.run(asyncio.Event())) for sender in self._senders]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def size(self) -> int:
        """The number of senders."""
        return len(self._senders)

    @property
    def acknowledged(self) -> dict[str, Any]:
        """The acknowledged messages by content."""
        return {content: message for sender in self._senders for content, message in sender.acknowledged.items()}

    @property
    def refused(self) -> int:
        """The number of sends that got 503 or no response."""
        return sum(sender.statuses[503] + sender.statuses[0] for sender in self._senders)

    async def stored(self) -> list[str]:
        """Return the contents of the stored messages."""
        return [message["content"] for message in await self.person.history(self.chat_id)]


async def wait_until_true(condition: Callable[[], bool]) -> None:
    """Return once the condition holds. It depends on another process, so it is polled."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
