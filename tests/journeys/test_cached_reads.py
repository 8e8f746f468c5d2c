"""Readers never see an older state than they have seen, and never what they may not see, whatever the gateway repeats.

Writers, removals and readers run at the same time. Every acknowledged change is noted. An answer must contain
everything that was noted before its request, and its position must not be below any position that its reader has seen.
After a removal was acknowledged, and until the person is let in again, every answer is a refusal. In the end, each page
is compared with the log: it must be the state at the position in its `Event-Cursor`.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from contextlib import ExitStack

import pytest

from tests.journeys.cached_readers import Noted, PageSeen, Reader, State
from tests.journeys.client import Client, colleague, owner, signed_in
from tests.journeys.metrics import cache_hits
from tests.journeys.server import ServerProcess
from tests.journeys.sharing import QUICK, SharedServers

TOKEN = "metrics-of-cached-reads-0123456789"
MEMBERS = 3
READERS_PER_MEMBER = 2
WRITES = 150
CHANGES = 40
MIN_HITS = 100


@pytest.fixture(scope="module")
def gateway(engine: str, shared_servers: SharedServers) -> ServerProcess:
    return shared_servers(engine, QUICK, signup="open", gateway="on", metrics_token=TOKEN)


class World:
    """A workspace, and the tasks that change it."""

    def __init__(self, host: Client, members: list[Client], chats: list[int], doomed: int) -> None:
        self.noted, self.host, self.members, self.chats, self.doomed = Noted(), host, members, chats, doomed
        self.random = random.Random(1)
        for number, each in enumerate([host, *members]):
            self.noted.names[each.id] = number

    async def write(self) -> None:
        for number in range(WRITES):
            chat = self.random.choice(self.chats)
            known = [each for each, state in self.noted.messages[chat].items() if not state.deleted]
            kind = self.random.randrange(4) if known else 0
            path = f"/api/chat/{chat}/messages/{self.random.choice(known)}" if known else ""
            if kind < 2:
                self.noted.note(await self.host.send(chat, f"message {number}"))
            elif kind == 2:
                self.noted.note(await self.host.call("PATCH", path, {"content": f"edit {number}"}))
            else:
                message = await self.host.get(path)
                await self.host.call("DELETE", path)
                self.noted.note({**message, "deleted_at": "now"})
            await asyncio.sleep(self.random.choice([0, 0.005, 0.02]))

    async def remove(self) -> None:
        for _ in range(CHANGES):
            member, chat = self.random.choice(self.members), self.random.choice(self.chats)
            right = (member.id, chat)
            with self.noted.changing(right):
                await self.host.call("DELETE", f"/api/chat/{chat}/members/{member.id}")
                self.noted.barred.add(right)
            await asyncio.sleep(0.02)
            with self.noted.changing(right):
                await self.host.post(f"/api/chat/{chat}/members", {"members": [member.id]})
                self.noted.barred.discard(right)
            await asyncio.sleep(0.01)

    async def delete_chat(self) -> None:
        for number in range(5):
            self.noted.note(await self.host.send(self.doomed, f"message {number}"))
            await asyncio.sleep(0.1)
        rights = [(member.id, self.doomed) for member in self.members]
        with ExitStack() as changing:
            for right in rights:
                changing.enter_context(self.noted.changing(right))
            await self.host.call("DELETE", f"/api/chat/{self.doomed}")
            self.noted.barred.update(rights)

    async def rename(self) -> None:
        for number in range(100, 100 + CHANGES):
            person = self.random.choice([self.host, *self.members[1:]])
            await person.call("PATCH", "/api/users/me", {"fullname": f"Name {number}"})
            self.noted.names[person.id] = number
            await asyncio.sleep(0.02)

    async def promote(self) -> None:
        member = self.members[0]
        right = (member.id, None)
        for number in range(CHANGES):
            role = "admin" if number % 2 else "member"
            with self.noted.changing(right):
                await self.host.call("PATCH", f"/api/users/{member.id}", {"role": role})
                self.noted.roles[member.id] = role
            await asyncio.sleep(0.03)

    async def end_sessions(self, readers: list[Reader]) -> None:
        for reader in readers:
            await asyncio.sleep(0.2)
            reader.ending = True
            await reader.client.post("/api/logout")
            reader.ended = True

    async def check_pages(self, pages: list[PageSeen], start: str) -> None:
        """Compare each page with the log."""
        messages: dict[int, dict[int, list[tuple[int, State]]]] = defaultdict(lambda: defaultdict(list))
        for event in await self.host.events(start):
            if event["type"].startswith("message."):
                message, deleted = event["data"]["message"], event["type"] == "message.deleted"
                states = messages[message["chat_id"]][message["number"]]
                # The log keeps no earlier contents of a deleted message, so its edits are counted.
                edits = states[-1][1].revision if states else 0
                states.append((event["seq"], State(edits + (not deleted), deleted)))
        # The log no longer shows the events of the deleted chat.
        for page in (page for page in pages if page.chat_id != self.doomed):
            for number, state in page.messages.items():
                past = [each for seq, each in messages[page.chat_id][number] if seq <= page.position]
                assert past, page
                assert past[-1] == state, page
            if "before" not in page.path:
                numbers = messages[page.chat_id]
                count = sum(states[0][0] <= page.position for states in numbers.values())
                assert sorted(page.messages) == list(range(max(1, count - 19), count + 1)), page


async def create(server: ServerProcess) -> World:
    host = await owner(server, default_channel=False)
    members = [await colleague(host) for _ in range(MEMBERS)]
    for number, each in enumerate([host, *members]):
        await each.call("PATCH", "/api/users/me", {"fullname": f"Name {number}"})
    *chats, doomed = [(await host.chat("private_channel", *members))["id"] for _ in range(3)]
    return World(host, members, chats, doomed)


async def test_no_reader_sees_an_older_state_or_more_than_they_may(gateway: ServerProcess) -> None:
    world, before = await create(gateway), await cache_hits(gateway, TOKEN)
    start = await world.host.cursor()
    sessions = [await signed_in(each) for each in world.members for _ in range(READERS_PER_MEMBER)]
    leaving = [await signed_in(each) for each in world.members]
    made = [
        Reader(world.noted, each, world.host, [*world.chats, world.doomed], seed)
        for seed, each in enumerate([*sessions, *leaving])
    ]
    changes = [world.write(), world.remove(), world.rename(), world.promote(), world.delete_chat()]
    changes.append(world.end_sessions(made[-MEMBERS:]))
    # A reader that fails cancels everything.
    async with asyncio.TaskGroup() as tasks:
        reading = [tasks.create_task(reader.run()) for reader in made]
        reading += [tasks.create_task(reader.listen()) for reader in made[: len(sessions)]]
        await asyncio.gather(*changes)
        for task in reading:
            task.cancel()
    await world.check_pages([page for reader in made for page in reader.pages], start)
    assert await cache_hits(gateway, TOKEN) - before > MIN_HITS
