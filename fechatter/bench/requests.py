"""The requests of each bench."""

from __future__ import annotations

import itertools
import random
import time
from uuid import UUID

from fechatter.bench.connection import write_request
from fechatter.bench.load import Write
from fechatter.bench.workspace import BATCH, MESSAGES_A_CHAT, TEXT, LoadPerson, LoadWorkspace

KEY_CHARACTERS = 36
DUE_DIGITS = 19
PAGE = 50

_counter = itertools.count()


def new_key() -> str:
    """Return a UUIDv7, which is ordered by time."""
    value = (
        (time.time_ns() // 1_000_000 << 80)
        | 0x7000 << 64
        | (next(_counter) & 0xFFF) << 64
        | 0x8000 << 48
        | random.getrandbits(48)
    )
    return str(UUID(int=value))


def sends(workspace: LoadWorkspace, connections: int, *, keys: bool = True) -> list[Write]:
    """Return sends to all chats, from one person per connection.

    The content of each message begins with the time when it was due, in nanoseconds.
    """
    return [_send(person, workspace.chats, keys=keys) for person in _people(workspace, connections)]


def _send(person: LoadPerson, chats: list[int], *, keys: bool) -> Write:
    """Prepare the request once, except for due time and key, which have a constant length."""
    body = (b'{"content":"%%b %b","idempotency_key":"%%b"}' if keys else b'{"content":"%%b %b"}') % TEXT.encode()
    blanks = (b"0" * DUE_DIGITS, b"-" * KEY_CHARACTERS)
    length = len(body % blanks[: 1 + keys])
    ready = []
    for chat_id in chats:
        head, _, _ = write_request("POST", f"/api/chat/{chat_id}/messages", person.token, b"0" * length).partition(
            b"\r\n\r\n"
        )
        ready.append(head + b"\r\n\r\n" + body)

    def write(due: float) -> bytes:
        due_text = b"%019d" % int(due * 1e9)
        return random.choice(ready) % ((due_text, new_key().encode()) if keys else due_text)

    return write


def batches(workspace: LoadWorkspace, connections: int) -> list[Write]:
    """Return batches of 100 messages to all chats, from one person per connection."""
    body = b'{"messages":[%b]}' % b",".join([b'{"content":"%b"}' % TEXT.encode()] * BATCH)
    return [_batch(person, workspace.chats, body) for person in _people(workspace, connections)]


def _batch(person: LoadPerson, chats: list[int], body: bytes) -> Write:
    ready = [write_request("POST", f"/api/chat/{chat}/messages/batch", person.token, body) for chat in chats]
    return lambda _: random.choice(ready)


def pages(workspace: LoadWorkspace, connections: int) -> list[Write]:
    """Return reads of pages of 50 messages: the newest ones, or those around any number."""
    paths = [f"/api/chat/{chat}/messages?limit={PAGE}" for chat in workspace.chats]
    paths += [f"{path}&around={number}" for path in paths for number in range(1, MESSAGES_A_CHAT, 40)]
    return [_gets(person, paths) for person in _people(workspace, connections)]


def checks(workspace: LoadWorkspace, connections: int) -> list[Write]:
    """Return requests for the sender's own profile, the smallest request that needs a token."""
    return [_gets(person, ["/api/users/me"]) for person in _people(workspace, connections)]


def queries(workspace: LoadWorkspace, connections: int) -> list[Write]:
    """Return requests for everything that a client reads; each URL is equally frequent."""
    paths = [
        "/api/chat",
        "/api/sync",
        "/api/users?limit=50",
        "/api/users?q=person",
        "/api/channels",
        "/api/sessions",
        "/api/workspace",
    ]
    for chat in workspace.chats[:5]:
        paths += [
            f"/api/chat/{chat}",
            f"/api/chat/{chat}/members",
            f"/api/chat/{chat}/messages",
            f"/api/chat/{chat}/messages?before=100",
        ]
    return [_gets(person, paths) for person in _people(workspace, connections)]


def bare(connections: int) -> list[Write]:
    """Return requests that read and store nothing, to measure the cost of HTTP alone."""
    request = write_request("GET", "/health/simple")
    return [lambda _: request] * connections


def _gets(person: LoadPerson, paths: list[str]) -> Write:
    ready = [write_request("GET", path, person.token) for path in paths]
    return lambda _: random.choice(ready)


def _people(workspace: LoadWorkspace, connections: int) -> list[LoadPerson]:
    return [workspace.people[number % len(workspace.people)] for number in range(connections)]
