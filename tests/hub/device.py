"""A client device: a stream with its cursor, and the rules that every stream must follow."""

from __future__ import annotations

from typing import Any

import orjson

from fechatter.hub.listener import Listener
from fechatter.model import Actor, Position
from fechatter.native import text_messages
from tests.hub.node import Joining, Node
from tests.hub.oracle import Violation
from tests.hub.state import State


class Client:
    """A client with a stream.

    Attributes:
        base: the position where the client began. It must receive every later event.
        received: the events received since then, and `eras` those of their positions.
        life: the number of its streams. A response to a request of an earlier stream is ignored.
        seen: the highest position of its responses, for each era.
        sent: those that the request of the current stream contained.
        unchecked: whether a position was not sent with the stream's request, so the client must ask about it.
        inbox: blocks that have arrived but are not processed yet.
        answer: the response to the current request: life, chat (None for the list), then its content.
    """

    def __init__(self, who: Actor) -> None:
        self.who = who
        self.cursor: Position | None = None
        self.base: Position | None = None
        self.received: dict[int, dict[str, Any]] = {}
        self.eras: dict[int, str] = {}
        self.life = 0
        self.seen: dict[str, Position] = {}
        self.sent: dict[str, Position] = {}
        self.unchecked = False
        self.state = State(who.user_id)
        self.resets: list[str] = []
        self.node: Node | None = None
        self.joining: Joining | None = None
        self.listener: Listener | None = None
        self.inbox: list[bytes] = []
        self.answer: tuple[Any, ...] | None = None

    def forget(self) -> None:
        """Start again without data, as at a first start."""
        self.received, self.eras, self.state, self.seen = {}, {}, State(self.who.user_id), {}
        self.connected()

    def connected(self) -> None:
        """A pending response may be from a log that has gone back since then."""
        self.answer = None
        self.life += 1
        self.sent, self.unchecked = dict(self.seen), False

    def see(self, position: Position) -> None:
        """Record the position of a processed response."""
        if position.era not in self.seen or position.seq > self.seen[position.era].seq:
            self.seen[position.era] = position

    def receive(self, block: bytes) -> None:
        """Process one SSE block."""
        lines = dict(line.split(b": ", 1) for line in block.split(b"\n") if line)
        _check_message(block, lines)
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
            self.state.resume(data.get("reads", []))
            if kind == "resumed":
                self._resumed()
        elif kind == "read.moved":
            self.state.read(data["data"]["read"])
        elif kind != "receipt.moved":
            self._event(data, position)

    def _resumed(self) -> None:
        """The log contains the positions that were sent with the request. Earlier requests may be from another log."""
        self.answer = None
        if self.seen == self.sent:
            self.confirm()
        else:
            self.unchecked = True

    def confirm(self) -> None:
        """The log contains all positions, so the highest is enough."""
        self.unchecked = False
        if self.seen:
            highest = max(self.seen.values(), key=lambda position: position.seq)
            self.seen = {highest.era: highest}

    def _begin(self, position: Position | None) -> None:
        if position is None:
            raise Violation("a beginning without a position")
        self.cursor = self.base = position
        self.forget()

    def _event(self, event: dict[str, Any], position: Position | None) -> None:
        if self.cursor is None or position is None or position.seq != event["seq"]:
            raise Violation(f"an event without a position: {event}")
        if position.seq <= self.cursor.seq:
            raise Violation(f"{position.seq} after {self.cursor.seq}: repeated or out of order")
        self.cursor = position
        self.received[event["seq"]], self.eras[event["seq"]] = event, position.era
        self.state.apply(event)


def _check_message(block: bytes, lines: dict[bytes, bytes]) -> None:
    """Check that a WebSocket shows the same block. Raises Violation."""
    [message] = text_messages(block + b"\n\n")
    shown: dict[str, Any] = {name.decode(): value.decode() for name, value in lines.items()}
    end = "}"
    if "data" in shown:
        end = f'"data":{shown["data"]}}}'
        shown["data"] = orjson.loads(shown["data"])
    if orjson.loads(message) != shown or not message.endswith(end):
        raise Violation(f"another message than its block: {message}")
