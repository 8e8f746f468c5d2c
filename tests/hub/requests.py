"""The requests that change something. A refusal is a valid outcome."""

from __future__ import annotations

from fechatter.chats import change, membership, preferences, reading
from fechatter.messages import changes
from tests import world
from tests.hub.sending import Senders


class Requests(Senders):
    async def join(self, who: str, chat: str, node: int = 0) -> None:
        """Join the public channel, or let alice add the person."""
        if chat == "c0":
            await self.do(node, membership.join, who, self.chats[chat])
        else:
            await self.do(node, membership.add, "alice", self.chats[chat], [self.people[who].user_id])

    async def remove(self, who: str, chat: str, node: int = 0) -> None:
        """Let alice remove the person, whatever her role is."""
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
        """Mark the chat's last number as read."""
        row = await self.database.read(
            lambda tx: tx.fetchrow("SELECT last_number FROM timelines WHERE id = $1", self.chats[chat])
        )
        if row is not None and row["last_number"]:
            await self.do(node, reading.mark_read, who, self.chats[chat], row["last_number"])

    async def prefer(self, who: str, chat: str, node: int = 0, *, starred: bool = True, muted: bool = False) -> None:
        """Star or mute a chat."""
        await self.do(
            node, preferences.update, who, self.chats[chat], preferences.PreferencesUpdate(starred=starred, muted=muted)
        )

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
        if await self.has_session(self.clients[who].who):
            await world.do(self.nodes[node].real, world.revoke, self.clients[who].who)

    async def rename_person(self, who: str, node: int = 0) -> None:
        await self.do(node, world.rename, who, self.text())

    async def rename_workspace(self, node: int = 0) -> None:
        await self.do(node, world.rename_workspace, "alice", self.text())
