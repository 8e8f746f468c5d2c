"""Typing: who is writing a message in which chat. Endpoints and the WebSocket report it; the hub shows it to the chat.

One person's reports in one chat are passed on at most every three seconds. If more people type than a client can name,
only their number is sent, once a second.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated

import msgspec

from fechatter.frames import TYPING, Frame, Signal, control_block
from fechatter.model import AnyChat, ChatId, UserId, WorkspaceId
from fechatter.queues import Queue

EVERY_SECONDS = 3.0
"""A person's next report in the same chat is passed on after this time."""
EXPIRES_SECONDS = 6
MAX_NAMED = 20
COUNT_EVERY_SECONDS = 1.0
"""Minimum time between two signals of a chat in which more than MAX_NAMED people type."""
MAX_TYPING = 65_536

Publish = Callable[[list[Frame], list[Signal]], None]


class TypingStarted(msgspec.Struct, frozen=True):
    """A signal to the chat's other members: somebody is writing a message. Show it for `expires_in` seconds, or until
    that person's message arrives."""

    chat_id: AnyChat
    user_ids: Annotated[
        list[int],
        msgspec.Meta(
            description="The person; empty if more than 20 people type.", examples=[[7]], max_length=MAX_NAMED
        ),
    ]
    count: Annotated[int, msgspec.Meta(description="The number of people who type in the chat.", examples=[1])]
    expires_in: Annotated[int, msgspec.Meta(description="Seconds.", examples=[EXPIRES_SECONDS])]


class _Chat(msgspec.Struct):
    """How many people type in a chat, and when their number was sent last."""

    count: int = 0
    counted_at: float | None = None


class Typing:
    """Who types on any node. Runs on the main loop.

    Args:
        publish: publishes signals to all nodes, this one included.
        clock: seconds, monotonic.
    """

    def __init__(self, publish: Publish, clock: Callable[[], float] = time.monotonic) -> None:
        self._publish = publish
        self._clock = clock
        self._reported: OrderedDict[tuple[int, int], float] = OrderedDict()
        """When each person's last report in each chat was passed on, the oldest first."""
        self._chats: dict[int, _Chat] = {}

    def queues(self) -> list[Queue]:
        return [Queue("typing", MAX_TYPING, "people", "not shown to others", lambda: len(self._reported))]

    def started(self, workspace_id: WorkspaceId, chat_id: ChatId, user_id: UserId) -> None:
        """Show the chat's other members that the person types, unless the last signal is less than three seconds old.

        The caller has checked that the person may send to the chat.
        """
        now = self._clock()
        chat = self._note(chat_id, user_id, now)
        if chat is None:
            return
        named = [int(user_id)]
        if chat.count > MAX_NAMED:
            if chat.counted_at is not None and now - chat.counted_at < COUNT_EVERY_SECONDS:
                return
            chat.counted_at, named = now, []
        data = TypingStarted(chat_id, named, chat.count, EXPIRES_SECONDS)
        block = control_block("typing.started", data)
        self._publish([], [Signal.for_chat(workspace_id, chat_id, block, except_user_id=user_id, kind=TYPING)])

    def heard(self, signal: Signal) -> None:
        """Take note of a signal that a node published, so that limits and counts apply to all nodes together."""
        self._note(signal.chat_id, signal.except_user_id, self._clock())

    def _note(self, chat_id: int, user_id: int, now: float) -> _Chat | None:
        """Record a report. Returns None if it must not be passed on."""
        self._expire(now)
        key = (chat_id, user_id)
        before = self._reported.get(key)
        if before is not None and now - before < EVERY_SECONDS:
            return None
        if before is None and len(self._reported) >= MAX_TYPING:
            return None
        chat = self._chats.setdefault(chat_id, _Chat())
        chat.count += before is None
        self._reported[key] = now
        self._reported.move_to_end(key)
        return chat

    def _expire(self, now: float) -> None:
        """Forget people whose last report has expired."""
        while self._reported:
            key, reported_at = next(iter(self._reported.items()))
            if now - reported_at < EXPIRES_SECONDS:
                return
            del self._reported[key]
            chat = self._chats[key[0]]
            chat.count -= 1
            if chat.count == 0:
                del self._chats[key[0]]
