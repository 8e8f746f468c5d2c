"""One person's device: a stream and its cursor, and the rules every stream keeps."""

from __future__ import annotations

from typing import Any

import orjson

from fechatter.hub.listener import Listener
from fechatter.model import Actor, Position
from tests.hub.ghost import Violation
from tests.hub.node import Joining, Node
from tests.hub.state import State


class Client:
    """
    Attributes:
        base: where what it shows begins; the events after it must all be shown.
        shown: the events it was shown since, and `eras` those of their positions.
        life: counts its streams; an answer to a request of an earlier one is not taken.
        seen: the highest position of its answers.
        inbox: blocks that arrived and are not taken yet.
        answer: of the request under way: life, chat (None for the list), then what was answered.
    """

    def __init__(self, who: Actor) -> None:
        self.who = who
        self.cursor: Position | None = None
        self.base: Position | None = None
        self.shown: dict[int, dict[str, Any]] = {}
        self.eras: dict[int, str] = {}
        self.life = 0
        self.seen: Position | None = None
        self.state = State(who.user_id)
        self.resets: list[str] = []
        self.node: Node | None = None
        self.joining: Joining | None = None
        self.listener: Listener | None = None
        self.inbox: list[bytes] = []
        self.answer: tuple[Any, ...] | None = None

    def forget(self) -> None:
        """Start again from nothing, as at a first start."""
        self.shown, self.eras, self.state, self.seen = {}, {}, State(self.who.user_id), None
        self.connected()

    def connected(self) -> None:
        """What was asked before may be of a log that went back since."""
        self.answer = None
        self.life += 1

    def see(self, position: Position) -> None:
        """An answer is taken that stands there."""
        if self.seen is None or position.seq > self.seen.seq:
            self.seen = position

    def receive(self, block: bytes) -> None:
        """One SSE block."""
        lines = dict(line.split(b": ", 1) for line in block.split(b"\n") if line)
        position = Position.parse(lines[b"id"].decode()) if b"id" in lines else None
        data = orjson.loads(lines[b"data"]) if b"data" in lines else {}
        kind = lines.get(b"event", b"").decode()
        if kind == "hello":
            if self.cursor is None:
                self._begin(position)
        elif kind == "reset":
            self.resets.append(data["reason"])
            self._begin(position)
        elif kind in ("resumed", ""):
            self.cursor = position
            for mark in data.get("reads", ()):
                self.state.read(mark)
        elif kind == "read.moved":
            self.state.read(data["data"]["read"])
        else:
            self._event(data, position)

    def _begin(self, position: Position | None) -> None:
        if position is None:
            raise Violation("a beginning without a position")
        self.cursor = self.base = position
        self.forget()

    def _event(self, event: dict[str, Any], position: Position | None) -> None:
        if self.cursor is None or position is None or position.seq != event["seq"]:
            raise Violation(f"an event without a position: {event}")
        if position.seq <= self.cursor.seq:
            raise Violation(f"{position.seq} after {self.cursor.seq}: repeated or misordered")
        self.cursor = position
        self.shown[event["seq"]], self.eras[event["seq"]] = event, position.era
        self.state.apply(event)
