"""Senders that repeat their messages and record the responses."""

from __future__ import annotations

import asyncio

from fechatter.errors import Problem
from fechatter.messages.publishing import Answer
from fechatter.model import MessageId
from fechatter.storage.engines.base import Database
from tests.hub.cluster import Cluster
from tests.hub.oracle import Violation
from tests.world import refusal, stored

Sent = tuple[str, str, str]
"""Sender, chat and idempotency key."""


class Senders(Cluster):
    """The senders of a walk.

    Attributes:
        acknowledged: the message id of every send that got 200 or 201.
        messages: chat and id of each acknowledged message, for steps that change one.
    """

    def __init__(self, databases: list[Database]) -> None:
        super().__init__(databases)
        self.acknowledged: dict[Sent, int] = {}
        self.messages: list[tuple[str, MessageId]] = []
        self._contents: dict[Sent, str] = {}
        self._spoiled: set[Sent] = set()
        self._unsure: set[Sent] = set()
        self._sending: list[tuple[Sent, asyncio.Task[Answer]]] = []

    async def send(self, who: str, chat: str, key: str, node: int = 0, *, other: bool = False) -> None:
        """Push a message, for the first time or again. `other` reuses the key for another content."""
        name = (who, chat, key)
        text = self._contents.setdefault(name, self.text())
        if other:
            self._spoiled.add(name)
            text = self.text()
        task = self.nodes[node].writer_node.push(self.clients[who].who, self.chats[chat], text, "-".join(name))
        self._sending.append((name, task))
        await asyncio.sleep(0)

    def lose_answers(self) -> None:
        """Accept from now on that the pushed messages may or may not be stored."""
        self._unsure |= {name for name, _ in self._sending}

    async def answer(self, node: int = 0) -> None:
        """Answer the senders."""
        await self.nodes[node].writer_node.answer()
        sending, self._sending = self._sending, []
        for name, task in sending:
            if not task.done():
                self._sending.append((name, task))
            elif not task.cancelled():
                self._answered(name, task.result())

    def _answered(self, name: Sent, answer: Answer) -> None:
        if isinstance(answer, Problem):
            if refusal(answer) == (409, "idempotency_conflict") and name not in self._spoiled:
                raise Violation("a repeat of the same content was refused")
            if answer.status == 503 and name not in self._unsure:
                raise Violation(f"{name} was not stored, although nothing failed")
            return
        _, message = stored(answer)
        if message["chat_id"] != self.chats[name[1]] or message["sender_id"] != self.people[name[0]].user_id:
            raise Violation("the response contains another message")
        if self.acknowledged.setdefault(name, message["id"]) != message["id"]:
            raise Violation("two messages for one key")
        self.messages.append((name[1], message["id"]))
