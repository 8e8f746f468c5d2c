"""Readers of a soak. Each checks its stream for gaps, repeats and messages of a chat that the person left."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.journeys.client import Client
from tests.journeys.stream import Refused, Stream

RETRY_SECONDS = 0.02
NARROW_BYTES = 4096
"""The receive buffer of a slow reader."""


class Reader:
    """Follows the stream of one person and reconnects with its cursor.

    Args:
        chats: the chats of which the person is a member.
        stays_seconds: how long a connection lasts before the reader reconnects; None: until the server ends it.
        pauses_seconds: how long a slow reader waits before it reads again.

    Attributes:
        numbers: the newest message number in each chat of which the person is a member.
        received: the number of messages.
        opened: the number of connections.
        closings: the reasons why the server closed connections.
    """

    def __init__(
        self,
        person: Client,
        chats: list[int],
        cursor: str,
        stays_seconds: float | None = None,
        pauses_seconds: float = 0.0,
    ) -> None:
        self.person = person
        self.numbers: dict[int, int | None] = dict.fromkeys(chats)
        self.received = self.opened = 0
        self.closings: list[str] = []
        self._cursor = cursor
        self._stays_seconds = stays_seconds
        self.pauses_seconds = pauses_seconds

    async def run(self) -> None:
        """Follow until cancelled. Raises AssertionError: something is wrong with the stream."""
        while True:
            narrow = NARROW_BYTES if self.pauses_seconds else None
            try:
                stream = await Stream.open(
                    self.person.server.port, self.person.token, self._cursor, window_bytes=narrow
                )
            except Refused as refused:
                if refused.answer.status not in (429, 503):
                    raise
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self.opened += 1
            try:
                async with asyncio.timeout(self._stays_seconds):
                    await self._follow(stream)
            except (TimeoutError, ConnectionError):
                pass
            finally:
                self._cursor = stream.cursor or self._cursor
                stream.close()
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, stream: Stream) -> None:
        while True:
            event = await stream.block()
            assert event.name != "reset", event.data
            if event.name == "closing":
                self.closings.append(event.data["reason"])
            elif event.name == "message.created":
                self._see_message(event.data["chat_id"], event.data["data"]["message"])
            elif event.name in ("member.joined", "member.left"):
                self._see_member(event.name, event.data["chat_id"], event.data["data"]["member"]["user_id"])
            # Only now, so that a broken connection repeats the event that was not seen.
            self._cursor = stream.cursor or self._cursor
            if self.pauses_seconds:
                await asyncio.sleep(self.pauses_seconds)

    def _see_message(self, chat_id: int, message: dict[str, Any]) -> None:
        assert chat_id in self.numbers, f"a message of chat {chat_id}, which the person left"
        last, number = self.numbers[chat_id], message["number"]
        assert last is None or number == last + 1, f"message {number} of chat {chat_id} follows {last}"
        self.numbers[chat_id] = number
        self.received += 1

    def _see_member(self, name: str, chat_id: int, user_id: int) -> None:
        if user_id != self.person.id:
            return
        if name == "member.joined":
            self.numbers[chat_id] = None
        else:
            del self.numbers[chat_id]
