"""A workspace for load: people who are all members of the same chats, which contain messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from fechatter.bench.connection import Connection, open_connection
from fechatter.bench.target import LoadTarget

PASSWORD = "correct horse battery"
TEXT = "The quick brown fox jumps over the lazy dog, and then it goes home. " * 3
MESSAGES_A_CHAT = 200
BATCH = 100


class LoadPerson(msgspec.Struct, frozen=True):
    id: int
    token: str


class LoadWorkspace(msgspec.Struct):
    """All of `people` are members of all of `chats`."""

    people: list[LoadPerson]
    chats: list[int]


async def create_load_workspace(target: LoadTarget, setup_token: str, people: int, chats: int) -> LoadWorkspace:
    """Create a workspace with people, chats and messages on a new server. Raises Refused, OSError, TimeoutError."""
    connection = await open_connection(target)
    owner = await _sign_up(connection, 0, workspace="Load", setup_token=setup_token)
    invitation = await connection.ask("POST", "/api/invitations", owner.token, {"max_uses": people})
    found = [
        owner,
        *[await _sign_up(connection, number, invitation=invitation["token"]) for number in range(1, people)],
    ]
    members = [person.id for person in found[1:]]
    made = []
    for number in range(chats):
        body = {"chat_type": "group", "name": f"Load {number}", "members": members}
        made.append((await connection.ask("POST", "/api/chat", owner.token, body))["id"])
        await _fill(connection, owner, made[-1])
    connection.close()
    return LoadWorkspace(found, made)


@asynccontextmanager
async def temporary_channel(target: LoadTarget, person: LoadPerson) -> AsyncIterator[LoadWorkspace]:
    """Create a private channel of one person on a running server, and delete the channel at the end.

    Raises:
        Refused, OSError, TimeoutError: the server refuses a request or does not answer.
    """
    connection = await open_connection(target)
    body = {"chat_type": "private_channel", "name": "Load", "members": []}
    chat_id = (await connection.ask("POST", "/api/chat", person.token, body))["id"]
    try:
        await _fill(connection, person, chat_id)
        yield LoadWorkspace([person], [chat_id])
    finally:
        connection = await open_connection(target)
        await connection.ask("DELETE", f"/api/chat/{chat_id}", person.token)
        connection.close()


async def sign_in(target: LoadTarget, email: str, password: str) -> LoadPerson:
    """Sign in with a password. Raises Refused, OSError, TimeoutError."""
    connection = await open_connection(target)
    session = await connection.ask("POST", "/api/signin", None, {"email": email, "password": password})
    connection.close()
    return LoadPerson(session["user"]["id"], session["access_token"])


async def who_is(target: LoadTarget, token: str) -> LoadPerson:
    """Return the owner of an access token. Raises Refused, OSError, TimeoutError."""
    connection = await open_connection(target)
    me = await connection.ask("GET", "/api/users/me", token)
    connection.close()
    return LoadPerson(me["id"], token)


async def _sign_up(connection: Connection, number: int, **more: str) -> LoadPerson:
    who = {"email": f"person{number}@example.com", "password": PASSWORD, "fullname": f"Person {number}", **more}
    session = await connection.ask("POST", "/api/signup", None, who)
    return LoadPerson(session["user"]["id"], session["access_token"])


async def _fill(connection: Connection, person: LoadPerson, chat_id: int) -> None:
    for _ in range(MESSAGES_A_CHAT // BATCH):
        body = {"messages": [{"content": TEXT}] * BATCH}
        await connection.ask("POST", f"/api/chat/{chat_id}/messages/batch", person.token, body)
