"""The setting of a walk: one or two nodes, the bus between them, and always the same people and chats.

alice owns the chats `c0` (public), `c1` and `c2` (private), and bob is in all three. carol can join `c0`.
xavier, in another workspace, owns `d0`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fechatter.chats import membership
from fechatter.errors import Problem
from fechatter.model import Actor, ChatId, Role, WorkspaceId
from fechatter.settings import Settings
from fechatter.storage import events
from fechatter.storage.engines.base import Database
from tests import world
from tests.hub.bus import FaultyBus
from tests.hub.device import Client
from tests.hub.fresh import ALL
from tests.hub.node import Node
from tests.hub.oracle import Oracle

T = TypeVar("T")

SETTINGS = Settings(replay_events=8, replay_scan_events=60)


class Cluster:
    def __init__(self, databases: list[Database]) -> None:
        self.oracle = Oracle()
        self.bus = FaultyBus()
        self.nodes = [Node(database, self.bus, SETTINGS, self.oracle.capture) for database in databases]
        self.people: dict[str, Actor] = {}
        self.clients: dict[str, Client] = {}
        self.chats: dict[str, ChatId] = {}
        self._texts = 0

    @property
    def database(self) -> Database:
        return self.nodes[0].real

    async def begin(self) -> None:
        """Create the people, chats and clients that the module describes."""
        workspace_id = await world.workspace(self.database)
        for name in ("alice", "bob", "carol"):
            self.people[name] = await world.person(self.database, workspace_id, name, Role.MEMBER)
        (self.people["xavier"],) = await world.people(self.database, "xavier")
        alice, bob = self.people["alice"], self.people["bob"]
        self.chats["c0"] = await world.chat(self.database, alice, public=True)
        await world.do(self.database, membership.join, bob, self.chats["c0"])
        self.chats["c1"] = await world.chat(self.database, alice, bob)
        self.chats["c2"] = await world.chat(self.database, alice, bob)
        self.chats["d0"] = await world.chat(self.database, self.people["xavier"])
        self.clients = {name: Client(who) for name, who in self.people.items()}

    async def close(self) -> None:
        for node in self.nodes:
            await node.close()

    def client(self, who: str | Actor) -> Client:
        if isinstance(who, str):
            return self.clients[who]
        return next(client for client in self.clients.values() if client.who == who)

    def text(self) -> str:
        self._texts += 1
        return f"text {self._texts}"

    async def do(self, node: int, function: Callable[..., Awaitable[T]], who: str, *args: Any) -> T | None:
        """Perform a write request. A refusal is a valid outcome."""
        try:
            return await world.do(self.nodes[node].real, function, self.people[who], *args)
        except Problem:
            return None

    async def has_session(self, who: Actor) -> bool:
        row = await self.database.read(
            lambda tx: tx.fetchrow("SELECT 1 AS one FROM sessions WHERE id = $1 AND revoked_at IS NULL", who.session_id)
        )
        return row is not None

    async def capture_log(self, workspace_id: WorkspaceId) -> None:
        self.oracle.capture(await self.database.read(lambda tx: events.load(tx, workspace_id, 0, ALL)))
