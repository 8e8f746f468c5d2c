"""A client's state and how events change it, as plain functions over dicts.

Every response states its position. It already includes all events up to that position.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]


@dataclass
class Loaded:
    """One chat. `messages` is None until its page arrives, and `waiting` collects message events until then."""

    chat: dict[str, Any]
    position: int
    messages: dict[int, dict[str, Any]] | None = None
    messages_position: int = 0
    waiting: list[Event] = field(default_factory=list)


@dataclass
class State:
    """Everything that a client shows. Events wait until the first response has set `position`."""

    user_id: int
    position: int | None = None
    workspace: dict[str, Any] = field(default_factory=dict)
    people: dict[int, dict[str, Any]] = field(default_factory=dict)
    chats: dict[int, Loaded] = field(default_factory=dict)
    waiting: list[Event] = field(default_factory=list)

    def begin(
        self, position: int, workspace: dict[str, Any], people: list[dict[str, Any]], chats: list[dict[str, Any]]
    ) -> None:
        """Store the response of `/api/sync` and apply the events that have arrived since the request."""
        self.position, self.workspace = position, workspace
        self.people = {each["id"]: each for each in people}
        self.chats = {each["id"]: Loaded(each, position) for each in chats}
        waiting, self.waiting = self.waiting, []
        for event in waiting:
            self.apply(event)

    def needs(self) -> list[int]:
        """Return the chats whose messages are not loaded yet."""
        return [chat_id for chat_id, loaded in self.chats.items() if loaded.messages is None]

    def load(self, chat_id: int, position: int, messages: list[dict[str, Any]]) -> None:
        """Store a page of messages. A page from before the person joined again is ignored."""
        loaded = self.chats.get(chat_id)
        if loaded is None or loaded.messages is not None or position < loaded.position:
            return
        loaded.messages, loaded.messages_position = {each["id"]: each for each in messages}, position
        waiting, loaded.waiting = loaded.waiting, []
        for event in waiting:
            _apply_message(loaded, event)

    def apply(self, event: Event) -> None:
        """Apply one durable event."""
        if self.position is None:
            self.waiting.append(event)
        elif event["chat_id"] is None:
            self._apply_person(event)
        else:
            self._apply_chat(event)

    def _apply_person(self, event: Event) -> None:
        assert self.position is not None
        data = event["data"]
        if event["seq"] > self.position:
            if "workspace" in data:
                self.workspace = data["workspace"]
            else:
                self.people[data["user"]["id"]] = data["user"]
        for loaded in self.chats.values() if "user" in data else ():
            if event["seq"] > loaded.position:
                loaded.chat["members"] = [_renamed(each, data["user"]) for each in loaded.chat["members"]]

    def _apply_chat(self, event: Event) -> None:
        assert self.position is not None
        kind, chat_id, data = event["type"], event["chat_id"], event["data"]
        own = kind.startswith("member.") and data["member"]["user_id"] == self.user_id
        if kind == "chat.deleted" or (own and kind == "member.left"):
            if event["seq"] > self.position:
                self.chats.pop(chat_id, None)
        elif own and kind == "member.joined":
            if event["seq"] > self.position:
                self.chats[chat_id] = Loaded(data["chat"], event["seq"])
        elif chat_id in self.chats:
            _apply(self.chats[chat_id], event, self.user_id)

    def read(self, mark: dict[str, Any]) -> None:
        """Apply a read mark: the higher revision wins, then the higher number."""
        loaded = self.chats.get(mark["chat_id"])
        if loaded is not None:
            chat = loaded.chat
            known = (chat["read_revision"], chat["last_read_number"])
            chat["read_revision"], chat["last_read_number"] = max(known, (mark["revision"], mark["last_read_number"]))

    def resume(self, marks: list[dict[str, Any]]) -> None:
        """Replace the read marks by those of `resumed`."""
        for mark in marks:
            loaded = self.chats.get(mark["chat_id"])
            if loaded is not None:
                loaded.chat |= {"read_revision": mark["revision"], "last_read_number": mark["last_read_number"]}


def _renamed(summary: dict[str, Any], user: dict[str, Any]) -> dict[str, Any]:
    return {name: user[name] for name in summary} if summary["id"] == user["id"] else summary


def _apply(loaded: Loaded, event: Event, user_id: int) -> None:
    if event["type"].startswith("message."):
        if loaded.messages is None:
            loaded.waiting.append(event)
        else:
            _apply_message(loaded, event)
    if event["seq"] <= loaded.position:
        return
    if "preferences" in event["data"]:
        loaded.chat |= {name: event["data"]["preferences"][name] for name in ("starred", "muted")}
        return
    chat, message = loaded.chat, event["data"].get("message")
    if message is None:
        chat |= event["data"]["chat"]
    elif event["type"] == "message.created":
        chat["last_number"], chat["last_message"] = message["number"], message
        if message["sender_id"] == user_id:
            chat["last_read_number"] = message["number"]
    elif chat["last_message"] is not None and chat["last_message"]["id"] == message["id"]:
        chat["last_message"] = message


def _apply_message(loaded: Loaded, event: Event) -> None:
    assert loaded.messages is not None
    if event["seq"] > loaded.messages_position:
        loaded.messages[event["data"]["message"]["id"]] = event["data"]["message"]
