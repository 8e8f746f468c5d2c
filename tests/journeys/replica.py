"""A client's copy of its workspace: loaded once, then changed only by events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import orjson

from tests.journeys.client import Client, UnexpectedAnswer
from tests.journeys.stream import Event

Facts = dict[str, Any]


class Replica:
    """A copy of everything that one person can see.

    Attributes:
        cursor: the position up to which all events are included.
        chats: by id. `members` are by chat and user, `messages` by chat and number.
        kinds: the types of the applied events.
    """

    def __init__(self, client: Client) -> None:
        self.cursor = ""
        self.me: Facts = {}
        self.workspace: Facts = {}
        self.people: dict[int, Facts] = {}
        self.chats: dict[int, Facts] = {}
        self.members: dict[int, dict[int, Facts]] = {}
        self.messages: dict[int, dict[int, Facts]] = {}
        self.kinds: set[str] = set()
        self._client = client
        self._loaded_at: dict[int, int] = {}

    @classmethod
    async def load(cls, client: Client) -> Replica:
        """Load everything from the server. Changes during the load arrive again as events, which are idempotent."""
        made = cls(client)
        state = await client.get("/api/sync")
        made.cursor, made.me, made.workspace = state["cursor"], state["me"], state["workspace"]
        made.people = {user["id"]: _public(user) for user in await client.pages("/api/users")}
        for chat in state["chats"]:
            await made._load_chat(chat)
        return made

    async def _load_chat(self, chat: Facts) -> None:
        """Load a chat. If it is already gone, skip it: the event of its removal follows."""
        chat_id = chat["id"]
        answer = await self._client.ask("GET", f"/api/chat/{chat_id}")
        try:
            members = await self._client.pages(f"/api/chat/{chat_id}/members")
            messages = await self._client.history(chat_id)
        except UnexpectedAnswer as error:
            if error.status != 404:
                raise
            self._drop(chat_id)
            return
        self._loaded_at[chat_id] = int(answer.headers["event-cursor"].rpartition(".")[2])
        self.chats[chat_id] = answer.json
        self.members[chat_id] = {each["user_id"]: each for each in members}
        self.messages[chat_id] = {each["number"]: each for each in messages}

    def _drop(self, chat_id: int) -> None:
        for kept in (self.chats, self.members, self.messages, self._loaded_at):
            kept.pop(chat_id, None)

    def snapshot(self) -> bytes:
        """Serialize the whole copy for a comparison."""
        return orjson.dumps(
            [self.me, self.workspace, self.people, self.chats, self.members, self.messages],
            option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2,
        )

    async def apply(self, event: Event) -> None:
        """Apply one block of the stream."""
        self.cursor = event.id or self.cursor
        if event.name == "resumed":
            for read in event.data["reads"]:
                self._move(read, (0, 0))
        elif event.name == "read.moved":
            self.apply_read(event.data["data"]["read"])
        elif event.name not in (None, "hello", "receipt.moved"):
            await self.apply_event(event.data)

    async def apply_event(self, event: Facts) -> None:
        """Apply one durable event, unless the loaded chat already includes it."""
        self.kinds.add(event["type"])
        data, chat_id = event["data"], event["chat_id"]
        if chat_id is None:
            self._PEOPLE[event["type"]](self, data)
        elif event["type"] == "member.joined" and data["member"]["user_id"] == self.me["id"]:
            if event["seq"] > self._loaded_at.get(chat_id, 0):
                await self._load_chat(data["chat"])
        elif chat_id in self.chats and event["seq"] > self._loaded_at[chat_id]:
            self._CHATS[event["type"]](self, chat_id, data)

    def apply_read(self, read: Facts) -> None:
        """Apply a read mark, which is state beside the events: the highest revision wins, then the highest number."""
        chat = self.chats.get(read["chat_id"])
        if chat is not None:
            self._move(read, (chat["read_revision"], chat["last_read_number"]))

    def _move(self, read: Facts, known: tuple[int, int]) -> None:
        chat = self.chats.get(read["chat_id"])
        if chat is not None:
            mark = max(known, (read["revision"], read["last_read_number"]))
            chat["read_revision"], chat["last_read_number"] = mark
            self._count(chat)

    def _count(self, chat: Facts) -> None:
        messages = self.messages[chat["id"]].values()
        beyond = [each for each in messages if each["number"] > chat["last_read_number"] and each["deleted_at"] is None]
        chat["unread_count"] = len(beyond)

    def _message_created(self, chat_id: int, data: Facts) -> None:
        message, chat = data["message"], self.chats[chat_id]
        self.messages[chat_id][message["number"]] = message
        chat |= {"last_message": message, "last_number": message["number"]}
        if message["sender_id"] == self.me["id"]:
            chat["last_read_number"] = message["number"]
        self._count(chat)

    def _message_changed(self, chat_id: int, data: Facts) -> None:
        message, chat = data["message"], self.chats[chat_id]
        self.messages[chat_id][message["number"]] = message
        if chat["last_number"] == message["number"]:
            chat["last_message"] = message
        self._count(chat)

    def _chat_updated(self, chat_id: int, data: Facts) -> None:
        self.chats[chat_id] |= data["chat"]

    def _preferences_updated(self, chat_id: int, data: Facts) -> None:
        self.chats[chat_id] |= {name: data["preferences"][name] for name in ("starred", "muted")}

    def _chat_deleted(self, chat_id: int, data: Facts) -> None:
        self._drop(chat_id)

    def _member_joined(self, chat_id: int, data: Facts) -> None:
        member = {name: data["member"][name] for name in ("user_id", "role", "joined_at")}
        self.members[chat_id][member["user_id"]] = member
        self._chat_updated(chat_id, data)

    def _member_left(self, chat_id: int, data: Facts) -> None:
        if data["member"]["user_id"] == self.me["id"]:
            self._drop(chat_id)
        else:
            self.members[chat_id].pop(data["member"]["user_id"], None)
            self._chat_updated(chat_id, data)

    def _role_changed(self, chat_id: int, data: Facts) -> None:
        if data["member"]["user_id"] in self.members[chat_id]:
            self.members[chat_id][data["member"]["user_id"]] |= data["member"]
        self._chat_updated(chat_id, data)

    def _person(self, data: Facts) -> None:
        user = data["user"]
        self.people[user["id"]] = _public(user)
        if user["id"] == self.me["id"]:
            self.me |= user
        for chat in self.chats.values():
            chat["members"] = [
                each | {name: user[name] for name in each} if each["id"] == user["id"] else each
                for each in chat["members"]
            ]

    def _workspace(self, data: Facts) -> None:
        self.workspace = data["workspace"]

    _PEOPLE: ClassVar[dict[str, Callable[[Replica, Facts], None]]] = {
        "user.joined": _person,
        "user.updated": _person,
        "user.disabled": _person,
        "workspace.updated": _workspace,
    }
    _CHATS: ClassVar[dict[str, Callable[[Replica, int, Facts], None]]] = {
        "message.created": _message_created,
        "message.edited": _message_changed,
        "message.deleted": _message_changed,
        "chat.updated": _chat_updated,
        "preferences.updated": _preferences_updated,
        "chat.deleted": _chat_deleted,
        "member.joined": _member_joined,
        "member.left": _member_left,
        "member.role_changed": _role_changed,
    }


def _public(user: Facts) -> Facts:
    """Return the fields of a user that events contain. Events leave out the private ones."""
    return {name: value for name, value in user.items() if name not in ("email", "timezone", "language")}
