"""The requests that change something, by the real rooms; a refusal is an answer like another."""

from __future__ import annotations

from fechatter.chats import change, membership, preferences, reading
from fechatter.messages import changes
from tests import world
from tests.hub.sending import Sending


class Requests(Sending):
    async def join(self, who: str, chat: str, node: int = 0) -> None:
        """By oneself into the public channel, else brought in by alice."""
        if chat == "c0":
            await self.do(node, membership.join, who, self.chats[chat])
        else:
            await self.do(node, membership.add, "alice", self.chats[chat], [self.people[who].user_id])

    async def remove(self, who: str, chat: str, node: int = 0) -> None:
        """By alice, whatever she is there."""
        await self.do(node, membership.remove, "alice", self.chats[chat], [self.people[who].user_id])

    async def leave(self, who: str, chat: str, node: int = 0) -> None:
        await self.do(node, membership.leave, who, self.chats[chat])

    async def transfer(self, who: str, chat: str, node: int = 0) -> None:
        await self.do(node, membership.transfer, "alice", self.chats[chat], self.people[who].user_id)

    async def delete_chat(self, chat: str, node: int = 0) -> None:
        await self.do(node, change.delete, "alice", self.chats[chat])

    async def change_chat(self, chat: str, node: int = 0) -> None:
        await self.do(node, change.change, "alice", self.chats[chat], change.ChatUpdate(description=self.text()))

    async def archive(self, chat: str, node: int = 0, *, archived: bool = True) -> None:
        await self.do(node, change.change, "alice", self.chats[chat], change.ChatUpdate(archived=archived))

    async def read(self, who: str, chat: str, node: int = 0) -> None:
        """Up to the chat's last number, or to the one before."""
        row = await self.database.read(lambda tx: tx.fetchrow("SELECT last_number FROM timelines WHERE id = $1", self.chats[chat]))
        if row is not None and row["last_number"]:
            await self.do(node, reading.mark_read, who, self.chats[chat], row["last_number"])

    async def prefer(self, who: str, chat: str, node: int = 0, *, starred: bool = True, muted: bool = False) -> None:
        """Star or mute a chat for oneself."""
        await self.do(node, preferences.update, who, self.chats[chat], preferences.PreferencesUpdate(starred=starred, muted=muted))

    async def edit(self, which: int = 0, node: int = 0) -> None:
        if self.messages:
            chat, message_id = self.messages[which % len(self.messages)]
            for who in self.people:
                await self.do(node, changes.edit, who, self.chats[chat], message_id, self.text())

    async def delete(self, which: int = 0, node: int = 0) -> None:
        if self.messages:
            chat, message_id = self.messages[which % len(self.messages)]
            await self.do(node, changes.delete, "alice", self.chats[chat], message_id)

    async def revoke(self, who: str, node: int = 0) -> None:
        if await self.alive(self.clients[who].who):
            await world.do(self.nodes[node].real, world.revoke, self.clients[who].who)

    async def rename_person(self, who: str, node: int = 0) -> None:
        await self.do(node, world.rename, who, self.text())

    async def rename_workspace(self, node: int = 0) -> None:
        await self.do(node, world.rename_workspace, "alice", self.text())
