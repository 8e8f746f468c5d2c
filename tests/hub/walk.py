"""A server of one or two nodes, its bus and its clients, moved step by step."""

from __future__ import annotations

from typing import Any

from fechatter.storage import events, upkeep
from fechatter.storage.engines.base import Database, Transaction
from tests.hub.oracle import Oracle
from tests.hub.requests import Requests
from tests.hub.restoring import Backup, go_back, restore, take_backup
from tests.hub.streams import Streams


class Walk(Requests, Streams):
    """Every method is a step. `Requests` and `Streams` contain the steps of people and devices."""

    def __init__(self, databases: list[Database]) -> None:
        super().__init__(databases)
        self._backup: tuple[Backup, Oracle, list[Any]] | None = None

    async def step(self, step: tuple[Any, ...]) -> None:
        """Take a step given as data: the method's name and its arguments."""
        name, *args = step
        named = args.pop() if args and isinstance(args[-1], dict) else {}
        await getattr(self, name)(*args, **named)

    async def commit(self, node: int = 0, between: tuple[Any, ...] | None = None, *, lost: bool = False) -> None:
        """Write everything that was pushed.

        Args:
            between: a step after the writer's decision and before the transaction.
            lost: lose the response of the commit.
        """
        stepped = self.nodes[node].database

        async def once() -> None:
            stepped.work = None
            if between is not None:
                await self.step(between)

        stepped.work, stepped.lose_answer = once, lost
        await self.nodes[node].writer_node.write()
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
        """Delete the log except for about the newest events."""
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
        self._backup = (taken, self.oracle.copy(), list(self.messages))

    async def restore(self) -> None:
        """Restore the backup on restarted nodes. Late publications from before may still arrive."""
        if self._backup is None:
            return
        late = [(place, publication) for place, waiting in enumerate(self.bus.waiting) for publication in waiting]
        late += [
            (place, publication)
            for node in self.nodes
            for publication in node.unpublished
            for place in range(len(self.nodes))
        ]
        for place in range(len(self.nodes)):
            await self.crash(place)
        await restore([node.real for node in self.nodes], self._backup[0])
        self._forget_lost()
        for place, publication in late:
            self.bus.waiting[place].append((publication[0], []))

    async def go_back(self) -> None:
        """Restore the backup under the running nodes. Messages acknowledged since then are lost."""
        if self._backup is None:
            return
        for place in range(len(self.nodes)):
            await self.commit(place)
            await self.answer(place)
        await go_back([node.real for node in self.nodes], self._backup[0])
        self._forget_lost()

    def _forget_lost(self) -> None:
        """Forget what was written in alice's workspace since the backup."""
        assert self._backup is not None
        _, oracle, messages = self._backup
        self.oracle.go_back(self.people["alice"].workspace_id, self.chats["d0"], oracle)
        self.messages = list(messages)
        there = {identity for _, identity in messages}
        self.acknowledged = {
            name: each for name, each in self.acknowledged.items() if name[0] == "xavier" or each in there
        }

    async def settle(self) -> None:
        """Finish everything that is pending, without unnecessary reconnects."""
        for place in range(len(self.nodes)):
            await self.commit(place)
            await self.answer(place)
            self.nodes[place].publish_all()
        for _ in range(4):
            for place in range(len(self.nodes)):
                self.bus.deliver_all(place)
                await self.poll(place)
                await self.nodes[place].check_sessions()
            for who in self.clients:
                await self.finish_join(who)
                await self.receive(who)
                await self.connect(who)
                await self.load(who)
