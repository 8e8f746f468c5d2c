"""The requests for each cell of the table of rights, with people of every role and chats of every kind.

Wherever possible, an allowed request changes nothing, so that the cells do not influence each other.
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

STANDINGS = ("owner", "member", None)
"""The standing of a person in a chat. None means that the person is not a member."""
NOWHERE = 2**53 - 7
Sessions = dict[Any, dict[str, Any]]
Request = tuple[str, str, Any]
A = ChatAction


async def _sign_up_everybody(server: ServerProcess) -> Sessions:
    host = await owner(server)
    keys = [*product(Role, STANDINGS), "leaver", "stranger"]
    people = [await colleague(host, key[0] if isinstance(key, tuple) else "member") for key in keys]
    for wire in list(OPENED):
        wire.close()
    return {"host": host.session, **{key: person.session for key, person in zip(keys, people, strict=True)}}


def sign_up_everybody(server: ServerProcess) -> Sessions:
    """Sign up the host, one person per role and standing, a leaver of every chat and a stranger in none."""
    return asyncio.run(_sign_up_everybody(server))


class PreparedChat(NamedTuple):
    """A chat in which everybody with a standing is a member and has sent a message."""

    chat_id: int
    owner_id: int
    messages: dict[int, int]
    """The id of each member's message, by the member's id."""


class World:
    """The people, as clients for one test."""

    def __init__(self, server: ServerProcess, sessions: Sessions) -> None:
        self.people = {key: Client(server, session) for key, session in sessions.items()}
        self.host, self.leaver, self.stranger = (self.people[key] for key in ("host", "leaver", "stranger"))

    def members(self) -> list[Client]:
        return [self.people[role, "member"] for role in Role]

    async def create_shared_chat(self) -> None:
        """Put everybody except the stranger into one chat, so that guests see the others."""
        await self.host.chat(
            "group", *(person for key, person in self.people.items() if key not in ("host", "stranger"))
        )

    async def prepare_chat(self, kind: ChatType, role: Role, standing: str | None, *, archived: bool) -> PreparedChat:
        """Prepare a chat for a person of this role and standing. A single chat always has the same two members."""
        if kind is ChatType.SINGLE:
            return await self._single(role, standing)
        owner = self.people[role if standing == "owner" else Role.MEMBER, "owner"]
        others = [owner, *self.members(), self.leaver]
        chat = await self.host.chat(kind.value, *([] if kind is ChatType.PUBLIC_CHANNEL else others))
        path = f"/api/chat/{chat['id']}"
        if kind is ChatType.PUBLIC_CHANNEL:
            await self.host.post(f"{path}/members", {"members": [other.id for other in others]})
        await self.leaver.post(f"{path}/leave")
        await self.host.call("PATCH", f"{path}/members/{owner.id}", {"role": "owner"})
        made = await self._send_from_all(chat["id"], owner, [self.host, owner, *self.members()])
        if archived:
            await self.host.call("PATCH", path, {"archived": True})
        return made

    async def _single(self, role: Role, standing: str | None) -> PreparedChat:
        one, other = (
            (self.people[role, standing], self.host)
            if standing == "owner"
            else (self.host, self.people[role, "member"])
        )
        chat = await one.chat("single", other)
        return await self._send_from_all(chat["id"], one, [one, other])

    async def _send_from_all(self, chat_id: int, owner: Client, members: list[Client]) -> PreparedChat:
        return PreparedChat(
            chat_id, owner.id, {member.id: (await member.send(chat_id, "as it was"))["id"] for member in members}
        )

    def requests(self, action: ChatAction, prepared: PreparedChat, who: Client, *, archived: bool) -> list[Request]:
        """Return the requests that need the action. The server must treat all of them alike."""
        chat = f"/api/chat/{prepared.chat_id}"
        others = f"{chat}/messages/{prepared.messages[self.host.id]}"
        own = f"{chat}/messages/{prepared.messages.get(who.id, prepared.messages[self.host.id])}"
        same = {"content": "as it was"}
        left, here = {"members": [self.leaver.id]}, {"members": [self.host.id]}
        match action:
            case A.READ:
                reads = ("", "/messages", "/members", "/receipts", others.removeprefix(chat))
                own_state = [
                    ("PUT", f"{chat}/read", {"number": 1}),
                    ("PATCH", f"{chat}/preferences", {"starred": False}),
                ]
                return [*(("GET", chat + read, None) for read in reads), *own_state]
            case A.SEND:
                return [("POST", f"{chat}/messages", {"content": "new"}), ("POST", f"{chat}/typing", None)]
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
                return [("PATCH", f"{chat}/members/{prepared.owner_id}", {"role": "owner"})]
            case A.RENAME:
                return [("PATCH", chat, {"description": ""})]
            case A.ARCHIVE:
                return [("PATCH", chat, {"archived": archived})]
            case A.DELETE:
                return [("DELETE", chat, None)]
