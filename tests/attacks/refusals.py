"""What is hidden has to be refused in every way as what is not there."""

from __future__ import annotations

from typing import Any

from tests.journeys.client import Client
from tests.journeys.foreign import NOWHERE, Place
from tests.journeys.stream import Event, Stream
from tests.journeys.wire import Answer


def nowhere() -> Place:
    """Ids that nobody has."""
    return NOWHERE


def told(answer: Answer) -> dict[str, Any]:
    """A body without what differs from request to request."""
    return {**answer.json, "request_id": None}


def numbers(value: object) -> set[int]:
    """Every whole number in a JSON value, so every id."""
    if isinstance(value, dict):
        return numbers(list(value.values()))
    if isinstance(value, list):
        return set().union(*map(numbers, value))
    return {value} if isinstance(value, int) else set()


def asks(chat_id: int, message_id: int, user_id: int) -> list[tuple[str, str, Any]]:
    """Every request that names a chat."""
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
        ("GET", message, None),
        ("PATCH", message, {"content": "from outside"}),
        ("DELETE", message, None),
        ("GET", f"{message}/versions", None),
    ]


async def check_hidden(who: Client, chat_id: int, message_id: int) -> None:
    """Nothing about the chat can be asked that is answered otherwise than for ids that nobody has. Raises AssertionError."""
    there, nothing = asks(chat_id, message_id, who.id), asks(NOWHERE.chat, NOWHERE.message, who.id)
    for (method, path, body), (_, unknown, same) in zip(there, nothing, strict=True):
        answers = await who.ask(method, path, body), await who.ask(method, unknown, same)
        assert [answer.status for answer in answers] == [404, 404], f"{method} {path}: {answers[0].body!r}"
        assert told(answers[0]) == told(answers[1]), f"{method} {path}"


async def heard(stream: Stream) -> list[Event]:
    """What a stream that was opened with a cursor replays."""
    events = await stream.until("resumed")
    stream.close()
    return [event for event in events if event.name not in ("hello", "resumed")]


async def polled(who: Client, cursor: str) -> bytes:
    """All that polling from a position shows."""
    return (await who.ask("GET", f"/api/events?after={cursor}&limit=1000")).body
