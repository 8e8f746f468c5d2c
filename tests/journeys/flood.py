"""Senders that put the highest load on a server that this machine allows. They have a thread of their own."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Self, cast

import uvloop

from tests.journeys.client import Client
from tests.servers.process import PATIENCE_SECONDS

RETRY_SECONDS = 0.05
PAUSE_SECONDS = 0.001
"""Between two new connections, because the kernel refuses too many at once."""


class FastSender(asyncio.Protocol):
    """Sends numbered messages, each one again until it is acknowledged.

    Attributes:
        acknowledged: the number of the last acknowledged message; all before it are acknowledged, too.
        statuses: the number of responses per status; 0 counts broken connections.
    """

    def __init__(self, person: Client, chat_id: int, name: str) -> None:
        self.chat_id = chat_id
        self.acknowledged = 0
        self.statuses: Counter[int] = Counter()
        self.stopping = False
        self._name = name
        self._port = person.server.port
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._failure: ValueError | None = None
        self._head = (
            f"POST /api/chat/{chat_id}/messages HTTP/1.1\r\nhost: localhost\r\n"
            f"authorization: Bearer {person.token}\r\ncontent-type: application/json\r\ncontent-length: "
        )
        # It begins with the time, as those of our clients do, so the server may forget it later.
        self._key = f"{int(time.time() * 1000):012x}-{random.getrandbits(32):08x}"

    @property
    def contents(self) -> set[str]:
        """The contents of the acknowledged messages."""
        return {self._content(number) for number in range(1, self.acknowledged + 1)}

    async def run(self) -> None:
        """Send until `stopping` is set, and return once every message is acknowledged."""
        loop = asyncio.get_running_loop()
        self._request = self._next_request()
        while self._request:
            self._lost = loop.create_future()
            try:
                await loop.create_connection(lambda: self, "127.0.0.1", self._port)
                await self._lost
            except OSError:
                self.statuses[0] += 1
            if self._failure is not None:
                raise self._failure
            if self._request:
                await asyncio.sleep(RETRY_SECONDS)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._received = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.statuses[0] += bool(self._request)
        self._lost.set_result(None)

    def eof_received(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        self._received = b""
        status = int(head[9:12])
        self.statuses[status] += 1
        if status in (200, 201):
            self.acknowledged += 1
            self._request = b"" if self.stopping else self._next_request()
            if b"connection: close" in head.lower():
                self._close()
            else:
                self._send()
        elif status == 503:
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._repeat, self._transport)
        else:
            self._failure = ValueError(f"{status} {body!r}")
            self._close()

    def _content(self, number: int) -> str:
        return f"{self._name} {number}"

    def _next_request(self) -> bytes:
        number = self.acknowledged + 1
        body = f'{{"content":"{self._content(number)}","idempotency_key":"{self._key}-{number}"}}'
        return f"{self._head}{len(body)}\r\n\r\n{body}".encode()

    def _send(self) -> None:
        if not self._request:
            self._close()
        elif self._transport is not None:
            self._transport.write(self._request)

    def _repeat(self, refused_on: asyncio.Transport | None) -> None:
        # A new connection has repeated the message already.
        if self._transport is refused_on:
            self._send()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0])


class Flood:
    """Many senders of several people in several chats."""

    def __init__(self, people: list[Client], chats: list[int], connections: int) -> None:
        self.chats = chats
        self.senders = [
            FastSender(people[number % len(people)], chats[number % len(chats)], f"sender {number}")
            for number in range(connections)
        ]
        self._thread = ThreadPoolExecutor(1, "flood")

    async def __aenter__(self) -> Self:
        self._running = asyncio.get_running_loop().run_in_executor(self._thread, uvloop.run, self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait until every message is acknowledged."""
        for sender in self.senders:
            sender.stopping = True
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._running

    @property
    def statuses(self) -> Counter[int]:
        return sum((sender.statuses for sender in self.senders), Counter())

    @property
    def acknowledged(self) -> int:
        """The number of acknowledged messages."""
        return sum(sender.acknowledged for sender in self.senders)

    async def check(self, reader: Client) -> None:
        """Compare the stored messages with the acknowledged ones."""
        for chat_id in self.chats:
            stored = await reader.history(chat_id)
            contents = [message["content"] for message in stored]
            assert len(contents) == len(set(contents)), "a message is stored twice"
            own = [sender.contents for sender in self.senders if sender.chat_id == chat_id]
            assert set(contents) == set().union(*own), "a message was lost, or was never sent"
            assert [message["number"] for message in stored] == list(range(1, len(stored) + 1)), "a number is missing"

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for sender in self.senders:
                group.create_task(sender.run())
                await asyncio.sleep(PAUSE_SECONDS)
