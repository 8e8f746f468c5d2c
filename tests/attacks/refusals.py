"""Checks that a hidden chat is refused in exactly the same way as a chat that does not exist."""

from __future__ import annotations

from typing import Any

from tests.journeys.client import Client
from tests.journeys.foreign import NOWHERE
from tests.journeys.stream import Event, Stream
from tests.journeys.wire import comparable


def integers(value: object) -> set[int]:
    """Return all integers in a JSON value, and therefore every id in it."""
    if isinstance(value, dict):
        return integers(list(value.values()))
    if isinstance(value, list):
        return set().union(*map(integers, value))
    return {value} if isinstance(value, int) else set()


def chat_requests(chat_id: int, message_id: int, user_id: int) -> list[tuple[str, str, Any]]:
    """Return every request whose path names a chat."""
    chat = f"/api/chat/{chat_id}"
    people, message = {"members": [user_id]}, f"{chat}/messages/{message_id}"
    return [
        ("GET", chat, None),
        ("PATCH", chat, {"description": "taken"}),
        ("DELETE", chat, None),
        ("GET", f"{chat}/members", None),
        ("POST", f"{chat}/members", people),
        ("DELETE", f"{chat}/members", people),
        ("DELETE", f"{chat}/members/{user_id}", None),
        ("PATCH", f"{chat}/members/{user_id}", {"role": "owner"}),
        ("POST", f"{chat}/join", None),
        ("POST", f"{chat}/leave", None),
        ("PUT", f"{chat}/read", {"number": 0}),
        ("PATCH", f"{chat}/preferences", {"starred": True}),
        ("GET", f"{chat}/messages", None),
        ("GET", f"{chat}/messages?after=0", None),
        ("GET", f"{chat}/messages?around=1", None),
        ("POST", f"{chat}/messages", {"content": "from outside"}),
        ("POST", f"{chat}/typing", None),
        ("GET", message, None),
        ("PATCH", message, {"content": "from outside"}),
        ("DELETE", message, None),
        ("GET", f"{message}/versions", None),
    ]


async def check_hidden(who: Client, chat_id: int, message_id: int) -> None:
    """Check that every request for the chat gets the same 404 as a request with unknown ids."""
    there, nothing = chat_requests(chat_id, message_id, who.id), chat_requests(NOWHERE.chat, NOWHERE.message, who.id)
    for (method, path, body), (_, unknown, same) in zip(there, nothing, strict=True):
        answers = await who.ask(method, path, body), await who.ask(method, unknown, same)
        assert [answer.status for answer in answers] == [404, 404], f"{method} {path}: {answers[0].body!r}"
        assert comparable(answers[0]) == comparable(answers[1]), f"{method} {path}"


async def replayed(stream: Stream) -> list[Event]:
    """Return the events that a stream replays after its cursor."""
    events = await stream.until("resumed")
    stream.close()
    return [event for event in events if event.name not in ("hello", "resumed")]


async def polled(who: Client, cursor: str) -> bytes:
    """Return the body of a poll for all events after the cursor."""
    return (await who.ask("GET", f"/api/events?after={cursor}&limit=1000")).body
