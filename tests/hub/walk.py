"""A server of one or two nodes, its bus and its clients, taken step by step."""

from __future__ import annotations

from typing import Any

from fechatter.storage import events, upkeep
from fechatter.storage.engines.base import Database, Transaction
from tests.hub.ghost import Ghost
from tests.hub.requests import Requests
from tests.hub.restoring import Backup, go_back, restore, take_backup
from tests.hub.streams import Streams


class Walk(Requests, Streams):
    """Every step is a method; those of `Requests` and `Streams` are what people and their devices do."""

    def __init__(self, databases: list[Database]) -> None:
        super().__init__(databases)
        self._backup: tuple[Backup, Ghost, list[Any]] | None = None

    async def step(self, step: tuple[Any, ...]) -> None:
        """A step as data: the method's name and its arguments."""
        name, *args = step
        named = args.pop() if args and isinstance(args[-1], dict) else {}
        await getattr(self, name)(*args, **named)

    async def commit(self, node: int = 0, between: tuple[Any, ...] | None = None, *, lost: bool = False) -> None:
        """Write what was handed in; `between` is a step taken after the decision; `lost`: the commit's answer never came."""
        stepped = self.nodes[node].database

        async def once() -> None:
            stepped.work = None
            if between is not None:
                await self.step(between)

        stepped.work, stepped.lose_answer = once, lost
        await self.nodes[node].desk.write()
        stepped.work, stepped.lose_answer = None, False
        if lost:
            self.lose_answers()
            await self.capture_log(self.people["alice"].workspace_id)

    async def publish(self, node: int = 0, which: int = 0) -> None:
        self.nodes[node].publish(which)

    async def deliver(self, node: int = 0, which: int = 0) -> None:
        self.bus.deliver(node, which)

    async def repeat(self, node: int = 0, which: int = 0) -> None:
        self.bus.repeat(node, which)

    async def lose(self, node: int = 0, which: int = 0) -> None:
        self.bus.lose(node, which)

    async def poll(self, node: int = 0) -> None:
        await self.nodes[node].poll()

    async def crash(self, node: int = 0) -> None:
        for client in self.clients.values():
            if client.node is self.nodes[node]:
                await self.drop(client.who)
        await self.nodes[node].crash()

    async def prune(self, newest: int = 3, who: str = "alice") -> None:
        """Drop the log but for about the newest events."""
        workspace_id = self.people[who].workspace_id
        await self.capture_log(workspace_id)

        async def work(tx: Transaction) -> None:
            head = (await events.heads(tx, workspace_id)).head
            frames = await events.load(tx, workspace_id, head - newest - 1, head - newest)
            if frames:
                sql = "UPDATE events SET created_at = 0 WHERE workspace_id = $1 AND seq <= $2"
                await tx.execute(sql, workspace_id, head - newest)
                await upkeep.drop_old_events(tx, workspace_id, 1)

        await self.database.write(workspace_id, work)

    async def backup(self) -> None:
        await self.capture_log(self.people["alice"].workspace_id)
        taken = await take_backup(self.database, self.people["alice"].workspace_id)
        self._backup = (taken, self.ghost.copy(), list(self.messages))

    async def restore(self) -> None:
        """Put the backup in place of what is there; the nodes start again, and a late publish of before may still come."""
        if self._backup is None:
            return
        late = [(place, carried) for place, waiting in enumerate(self.bus.waiting) for carried in waiting]
        late += [(place, carried) for node in self.nodes for carried in node.unpublished for place in range(len(self.nodes))]
        for place in range(len(self.nodes)):
            await self.crash(place)
        await restore([node.real for node in self.nodes], self._backup[0])
        self._forget_lost()
        for place, carried in late:
            self.bus.waiting[place].append((carried[0], []))

    async def go_back(self) -> None:
        """Put the backup in place of what is there under the running nodes; what was acknowledged since is lost."""
        if self._backup is None:
            return
        for place in range(len(self.nodes)):
            await self.commit(place)
            await self.answer(place)
        await go_back([node.real for node in self.nodes], self._backup[0])
        self._forget_lost()

    def _forget_lost(self) -> None:
        """What was written in alice's workspace since the backup never was."""
        assert self._backup is not None
        _, ghost, messages = self._backup
        self.ghost.go_back(self.people["alice"].workspace_id, self.chats["d0"], ghost)
        self.messages = list(messages)
        there = {identity for _, identity in messages}
        self.acknowledged = {name: each for name, each in self.acknowledged.items() if name[0] == "xavier" or each in there}

    async def settle(self) -> None:
        """Everything that is under way comes to its end; nobody connects anew who need not."""
        for place in range(len(self.nodes)):
            await self.commit(place)
            await self.answer(place)
            self.nodes[place].publish_all()
        for _ in range(4):
            for place in range(len(self.nodes)):
                self.bus.deliver_all(place)
                await self.poll(place)
            for who in self.clients:
                await self.join_up(who)
                await self.receive(who)
                await self.connect(who)
                await self.load(who)
