"""Initial state plus events equals fresh state."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import orjson
import pytest

from fechatter.chats import change, membership, preferences, views
from fechatter.chats.change import ChatUpdate
from fechatter.chats.preferences import PreferencesUpdate
from fechatter.errors import Problem
from fechatter.events import EventType
from fechatter.frames import Frame, block_json
from fechatter.model import Actor, Chat, ChatId, ChatType
from tests.chats.conftest import World

SINGLE, GROUP, PRIVATE, PUBLIC = ChatType
STEPS = 60


class Client:
    """A client that keeps its chats by applying the events that it receives."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.chats: dict[int, dict[str, Any]] = {}

    def apply(self, frame: Frame) -> None:
        event = orjson.loads(block_json(frame.block_for(self.actor.user_id)))
        chat_id, data = event["chat_id"], event["data"]
        mine = frame.user_id == self.actor.user_id
        if frame.type is EventType.MEMBER_JOINED and mine:
            self.chats[chat_id] = data["chat"]
        elif chat_id not in self.chats:
            return
        elif frame.type is EventType.CHAT_DELETED or (frame.type is EventType.MEMBER_LEFT and mine):
            del self.chats[chat_id]
        elif frame.type is EventType.PREFERENCES_UPDATED:
            if mine:
                self.chats[chat_id] |= {name: data["preferences"][name] for name in ("starred", "muted")}
        else:
            self.chats[chat_id] |= data["chat"]


async def fresh_state(world: World, actor: Actor) -> dict[int, Any]:
    chats: list[Chat] = await world.see(views.chats_of, actor, limit=1000)
    return {chat.id: msgspec.to_builtins(chat) for chat in chats}


async def random_act(world: World, dice: random.Random, people: list[Actor]) -> None:
    """Perform a random act. It may be refused."""
    actor, other = dice.sample(people, 2)
    ids = [row[0] for row in await world.rows("SELECT id FROM chats WHERE workspace_id = $1", actor.workspace_id)]
    chat_id = ChatId(dice.choice(ids or [1]))
    some = [person.user_id for person in dice.sample(people, 2)]
    match dice.randrange(13):
        case 0:
            await world.create(actor, SINGLE, other)
        case 1:
            await world.create(actor, GROUP, *dice.sample(people, 3))
        case 2:
            await world.create(actor, PRIVATE, other, name=f"name {dice.randrange(5)}")
        case 3:
            await world.create(actor, PUBLIC, name=f"name {dice.randrange(5)}")
        case 4 | 5:
            await world.do(membership.join, actor, chat_id)
        case 6:
            await world.do(membership.leave, actor, chat_id)
        case 7:
            await world.do(membership.add, actor, chat_id, some)
        case 8:
            await world.do(membership.remove, actor, chat_id, some)
        case 9:
            await world.do(membership.transfer, actor, chat_id, other.user_id)
        case 10:
            archived = dice.choice([True, False, False])
            await world.do(
                change.change, actor, chat_id, ChatUpdate(name=f"name {dice.randrange(5)}", archived=archived)
            )
        case 11:
            wanted = PreferencesUpdate(starred=dice.random() < 0.5, muted=dice.random() < 0.5)
            await world.do(preferences.update, actor, chat_id, wanted)
        case 12 if dice.random() < 0.3:
            await world.do(change.delete, actor, chat_id)


@pytest.mark.parametrize("seed", range(4))
async def test_initial_state_plus_events_equals_fresh_state(world: World, seed: int) -> None:
    dice = random.Random(seed)
    people = await world.people(await world.workspace(), "alice", "bob", "carol", "dave")
    clients = [Client(person) for person in people]
    for _ in range(STEPS):
        try:
            await random_act(world, dice, people)
        except Problem:
            continue
        for frame in world.frames:
            for client in clients:
                client.apply(frame)
        world.frames.clear()
        for client in clients:
            assert client.chats == await fresh_state(world, client.actor)
    counts = await world.rows(
        "SELECT c.id FROM chats c WHERE c.workspace_id = $1 AND c.member_count <> "
        "(SELECT COUNT(*) FROM memberships m WHERE m.chat_id = c.id AND m.left_seq IS NULL)",
        people[0].workspace_id,
    )
    assert counts == []
    seqs = [
        row[0]
        for row in await world.rows(
            "SELECT seq FROM events WHERE workspace_id = $1 ORDER BY seq", people[0].workspace_id
        )
    ]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) > STEPS / 3
