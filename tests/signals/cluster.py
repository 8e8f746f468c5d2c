"""Nodes with presence, a bus between them that the test delivers or loses, and streams that keep what they receive."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec
import orjson

from fechatter.frames import Frame, Signal, block_json
from fechatter.model import SessionId, UserId, WorkspaceId
from fechatter.signals.presence import OwnState, Presence
from fechatter.signals.subscriptions import Subscriber

WORKSPACE = WorkspaceId(1)
PERSON = 100
"""A session's id is its person's id times PERSON, plus a number."""


class StreamReader(msgspec.Struct, frozen=True):
    user_id: UserId
    session_id: SessionId
    workspace_id: WorkspaceId = WORKSPACE
    guest: bool = False
    shows_presence: bool = True


class FakeStream:
    """A stream of a session.

    Attributes:
        known: the states that its client knows, if it has subscribed.
        signals: the changes of each signal.
    """

    def __init__(self, session_id: int, *, guest: bool, shows: bool, workspace_id: WorkspaceId) -> None:
        person, session = UserId(session_id // PERSON), SessionId(session_id)
        self.reader = StreamReader(person, session, workspace_id, guest, shows)
        self.known: dict[int, str] = {}
        self.signals: list[dict[int, str]] = []

    def offer_signal(self, block: bytes) -> None:
        assert block.startswith(b"event: presence.changed\n")
        presences = orjson.loads(block_json(block))["presences"]
        self.signals.append({each["user_id"]: each["state"] for each in presences})
        self.known |= self.signals[-1]


class FakeNode:
    """One node."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.streams: list[FakeStream] = []
        self.received: deque[Signal] = deque()
        self.presence = Presence(self._find, cluster.met_now, self._publish, lambda: cluster.now)

    def _find(self, subscriber: Subscriber) -> list[FakeStream]:
        return [each for each in self.streams if each.reader.session_id == subscriber.session_id]

    def _publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        assert frames == []
        for node in self.cluster.nodes:
            if node is not self:
                node.received += signals

    def open(
        self, session_id: int, *, guest: bool = False, shows: bool = True, workspace_id: WorkspaceId = WORKSPACE
    ) -> FakeStream:
        stream = FakeStream(session_id, guest=guest, shows=shows, workspace_id=workspace_id)
        self.streams.append(stream)
        self.presence.arrived(stream.reader)
        return stream

    def close(self, stream: FakeStream, *, ended: bool = False) -> None:
        self.streams.remove(stream)
        self.presence.left(stream.reader, ended=ended)

    def set_state(self, session_id: int, state: OwnState) -> None:
        self.presence.set_state(Subscriber(WORKSPACE, session_id // PERSON, session_id), state)

    def subscribe(self, stream: FakeStream, people: Iterable[int]) -> dict[int, str]:
        """Subscribe through this node, which may be another than the stream's; return the states of the answer."""
        reader = stream.reader
        subscriber = Subscriber(reader.workspace_id, reader.user_id, reader.session_id)
        stream.known = {each.user_id: each.state for each in self.presence.subscribe(subscriber, people)}
        return dict(stream.known)

    def deliver(self) -> None:
        while self.received:
            self.presence.heard(self.received.popleft())


class Cluster:
    """Nodes with one clock.

    Attributes:
        met: the pairs of people who share a chat; None if all do.
        unmet_error: raised instead of an answer about `met`.
    """

    def __init__(self, nodes: int = 1) -> None:
        self.now = 1000.0
        self.met: set[tuple[int, int]] | None = None
        self.met_error: Exception | None = None
        self.nodes: list[FakeNode] = []
        for _ in range(nodes):
            self.nodes.append(FakeNode(self))

    async def met_now(self, pairs: list[tuple[int, int]]) -> set[tuple[int, int]]:
        if self.met_error is not None:
            raise self.met_error
        return set(pairs) if self.met is None else self.met & set(pairs)

    async def step(self, seconds: float = 0.0) -> None:
        """Let time pass, then deliver everything and let each node take a step, twice."""
        self.now += seconds
        for node in self.nodes * 2:
            node.deliver()
            await node.presence.step()

    async def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.step(1.0)

    @property
    def sent(self) -> int:
        return sum(node.presence.sent for node in self.nodes)
