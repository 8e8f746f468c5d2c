"""People in every standing, chats of every kind and state, and for each action of the table of rights the requests that ask for it.

The requests are such that an allowed one changes nothing, wherever there is one like that: so a cell says nothing about the next.
"""

from __future__ import annotations

import asyncio
from itertools import product
from typing import Any, NamedTuple

from fechatter.model import ChatType, Role
from fechatter.rights.table import ChatAction
from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.wire import OPENED

PLACES = ("owner", "member", None)
"""What somebody is in a chat; None for who is not in it."""
NOWHERE = 2**53 - 7
Sessions = dict[Any, dict[str, Any]]
Ask = tuple[str, str, Any]
A = ChatAction


async def _signed_up(server: ServerProcess) -> Sessions:
    host = await owner(server)
    keys = [*product(Role, PLACES), "leaver", "stranger"]
    people = [await colleague(host, key[0] if isinstance(key, tuple) else "member") for key in keys]
    for wire in list(OPENED):
        wire.close()
    return {"host": host.session, **{key: person.session for key, person in zip(keys, people, strict=True)}}


def signed_up(server: ServerProcess) -> Sessions:
    """The host, who owns the workspace; one person for each role and place; one who leaves every chat, one who is in none."""
    return asyncio.run(_signed_up(server))


class Ground(NamedTuple):
    """A chat in which `owner_role` says who owns it, all other people with a place are members, and each has said something."""

    chat_id: int
    owner_id: int
    messages: dict[int, int]
    """The id of each member's message by the member's."""


class World:
    """The people as clients of one test."""

    def __init__(self, server: ServerProcess, sessions: Sessions) -> None:
        self.people = {key: Client(server, session) for key, session in sessions.items()}
        self.host, self.leaver, self.stranger = (self.people[key] for key in ("host", "leaver", "stranger"))

    def members(self) -> list[Client]:
        return [self.people[role, "member"] for role in Role]

    async def meet(self) -> None:
        """Everybody but the stranger is in a chat with everybody, so that guests see the others."""
        await self.host.chat("group", *(person for key, person in self.people.items() if key not in ("host", "stranger")))

    async def ground(self, kind: ChatType, role: Role, place: str | None, *, archived: bool) -> Ground:
        """A chat where the person of that role and place can be tried. The two of a single chat always have the same one."""
        if kind is ChatType.SINGLE:
            return await self._single(role, place)
        owner = self.people[role if place == "owner" else Role.MEMBER, "owner"]
        others = [owner, *self.members(), self.leaver]
        chat = await self.host.chat(kind.value, *([] if kind is ChatType.PUBLIC_CHANNEL else others))
        path = f"/api/chat/{chat['id']}"
        if kind is ChatType.PUBLIC_CHANNEL:
            await self.host.post(f"{path}/members", {"members": [other.id for other in others]})
        await self.leaver.post(f"{path}/leave")
        await self.host.call("PATCH", f"{path}/members/{owner.id}", {"role": "owner"})
        made = await self._said(chat["id"], owner, [self.host, owner, *self.members()])
        if archived:
            await self.host.call("PATCH", path, {"archived": True})
        return made

    async def _single(self, role: Role, place: str | None) -> Ground:
        one, other = (self.people[role, place], self.host) if place == "owner" else (self.host, self.people[role, "member"])
        chat = await one.chat("single", other)
        return await self._said(chat["id"], one, [one, other])

    async def _said(self, chat_id: int, owner: Client, members: list[Client]) -> Ground:
        return Ground(chat_id, owner.id, {member.id: (await member.send(chat_id, "as it was"))["id"] for member in members})

    def asks(self, action: ChatAction, ground: Ground, who: Client, *, archived: bool) -> list[Ask]:
        """The requests by which `who` asks for the action; each is answered alike."""
        chat = f"/api/chat/{ground.chat_id}"
        others = f"{chat}/messages/{ground.messages[self.host.id]}"
        own = f"{chat}/messages/{ground.messages.get(who.id, ground.messages[self.host.id])}"
        same = {"content": "as it was"}
        left, here = {"members": [self.leaver.id]}, {"members": [self.host.id]}
        match action:
            case A.READ:
                reads = ("", "/messages", "/members", others.removeprefix(chat))
                own_state = [("PUT", f"{chat}/read", {"number": 1}), ("PATCH", f"{chat}/preferences", {"starred": False})]
                return [*(("GET", chat + read, None) for read in reads), *own_state]
            case A.SEND:
                return [("POST", f"{chat}/messages", {"content": "new"})]
            case A.EDIT_OWN | A.EDIT_OTHERS:
                return [("PATCH", own if action is A.EDIT_OWN else others, same)]
            case A.VERSIONS_OWN | A.VERSIONS_OTHERS:
                return [("GET", f"{own if action is A.VERSIONS_OWN else others}/versions", None)]
            case A.DELETE_OWN | A.DELETE_OTHERS:
                return [("DELETE", own if action is A.DELETE_OWN else others, None)]
            case A.JOIN | A.LEAVE:
                return [("POST", f"{chat}/{action.value}", None)]
            case A.ADD_MEMBERS:
                return [("POST", f"{chat}/members", here)]
            case A.REMOVE_MEMBERS:
                return [("DELETE", f"{chat}/members", left)]
            case A.TRANSFER:
                return [("PATCH", f"{chat}/members/{ground.owner_id}", {"role": "owner"})]
            case A.RENAME:
                return [("PATCH", chat, {"description": ""})]
            case A.ARCHIVE:
                return [("PATCH", chat, {"archived": archived})]
            case A.DELETE:
                return [("DELETE", chat, None)]
