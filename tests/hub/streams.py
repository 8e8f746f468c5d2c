"""Clients that open streams, receive events, lose connections and load data."""

from __future__ import annotations

from fechatter.errors import Problem
from fechatter.hub import joining
from fechatter.model import Actor
from fechatter.storage import events
from fechatter.storage.engines.base import Transaction
from tests import world
from tests.hub.cluster import Cluster
from tests.hub.device import Client
from tests.hub.fresh import ALL, fresh_list, fresh_page
from tests.hub.node import Joining
from tests.hub.oracle import Violation


class Streams(Cluster):
    async def close(self) -> None:
        for who in self.clients:
            await self.drop(who)
        await super().close()

    async def open(self, who: str, node: int = 0) -> None:
        """Begin a stream. An ended session is replaced first."""
        client = self.clients[who]
        if client.node is not None:
            return
        if not await self.has_session(client.who):
            client.who = self.people[who] = await world.new_session(self.database, client.who)
        client.node = self.nodes[node]
        await self._wait_for_feed(client)
        client.connected()
        client.joining = Joining(client.node.hub, client.who, client.cursor, tuple(client.seen.values()))
        await client.joining.step()

    async def _wait_for_feed(self, client: Client) -> None:
        """Only one client at a time opens a feed. Others could take no step until it is open."""
        for other in self.clients.values():
            node, joining = other.node, other.joining
            if (
                joining is None
                or node is None
                or node is not client.node
                or other.who.workspace_id != client.who.workspace_id
            ):
                continue
            while not joining.task.done() and not node.has_feed(client.who.workspace_id):
                await joining.step()

    async def advance_join(self, who: str) -> None:
        """Perform one more read of a joining stream."""
        joining = self.clients[who].joining
        if joining is not None:
            await joining.step()
            await self._joined(self.clients[who])

    async def finish_join(self, who: str) -> None:
        """Perform the rest of the joining."""
        joining = self.clients[who].joining
        if joining is not None:
            await joining.finish()
            await self._joined(self.clients[who])

    async def _joined(self, client: Client) -> None:
        if client.joining is None or not client.joining.task.done():
            return
        try:
            client.listener = client.joining.task.result()
        except Problem:
            client.node = None
        client.joining = None

    async def connect(self, who: str, node: int = 0) -> None:
        """Open, join and receive."""
        await self.open(who, node)
        await self.finish_join(who)
        await self.receive(who)

    async def receive(self, who: str, most: int = ALL) -> None:
        """Process some blocks of the stream. At its end the connection closes."""
        client = self.clients[who]
        if client.listener is None or client.node is None:
            return
        # As the stream's writer does before each write.
        await client.node.hub.read_on(client.listener)
        client.inbox += [block for block in client.listener.take().split(b"\n\n") if block]
        blocks, client.inbox = client.inbox[:most], client.inbox[most:]
        for block in blocks:
            client.receive(block)
        await self._check_positions(client)
        if not client.inbox and client.listener.closed is not None:
            await self.drop(who)

    async def _check_positions(self, client: Client) -> None:
        """Ask whether the log contains the positions of the client's responses, and begin again if it does not."""
        if not client.unchecked or client.cursor is None:
            return

        async def lost(tx: Transaction) -> bool:
            heads = await events.heads(tx, client.who.workspace_id)
            return await joining.lost(tx, client.who, tuple(client.seen.values()), heads)

        if await self.database.read(lost):
            client.base = client.cursor
            client.forget()
        else:
            client.confirm()

    async def heartbeat(self, who: str) -> None:
        """Process a heartbeat with the position if no events wait."""
        client = self.clients[who]
        if client.listener is None or client.node is None or client.inbox or client.listener.pending:
            return
        position = client.node.hub.position(client.listener)
        if position is not None and client.listener.closed is None and client.cursor is not None:
            if position.era == client.cursor.era and position.seq < client.cursor.seq:
                raise Violation("a heartbeat goes back")
            client.cursor = position

    async def drop(self, who: str | Actor) -> None:
        """Break the connection and lose what is in flight."""
        client = self.client(who)
        if client.joining is not None:
            await client.joining.give_up()
        if client.listener is not None and client.node is not None:
            client.node.hub.leave(client.listener)
        client.listener = client.joining = client.node = None
        client.inbox.clear()

    async def ask(self, who: str, node: int = 0) -> None:
        """Send the client's next request. The response arrives in a later step."""
        client = self.clients[who]
        database = self.nodes[node].real
        if client.answer is not None or client.cursor is None or not await self._is_kept(client):
            return
        if client.state.position is None:
            client.answer = (client.life, None, *await database.read(lambda tx: fresh_list(tx, client.who)))
        elif needs := client.state.needs():
            answer = await database.read(lambda tx: fresh_page(tx, client.who, needs[0]))
            client.answer = None if answer is None else (client.life, needs[0], *answer)

    async def _is_kept(self, client: Client) -> bool:
        """Return whether the log contains the client's position.

        After a log went back, the client must learn that first.
        """
        assert client.cursor is not None
        places = {client.who.workspace_id: client.cursor}
        _, checks = await self.database.read(lambda tx: events.check_positions(tx, places))
        return checks[client.who.workspace_id].kept

    async def take_answer(self, who: str) -> None:
        """Process the response."""
        client = self.clients[who]
        if client.answer is None:
            return
        (life, chat_id, position, *rest), client.answer = client.answer, None
        if life != client.life:
            return
        client.see(position)
        if chat_id is None:
            client.state.begin(position.seq, *rest)
        else:
            client.state.load(chat_id, position.seq, *rest)

    async def load(self, who: str, node: int = 0) -> None:
        """Load everything that the client still needs."""
        for _ in range(len(self.chats) + 2):
            await self.ask(who, node)
            await self.take_answer(who)
