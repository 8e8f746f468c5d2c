"""Extras: an optional field of a message works on every path, and plain messages stay as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec
import orjson
import pytest

from fechatter.chats import views
from fechatter.errors import Invalid
from fechatter.export.writing import write_workspace
from fechatter.frames import block_json
from fechatter.messages import changes
from fechatter.model import Actor, ChatId, Extras, MessageId, encode
from fechatter.storage import events, retention
from fechatter.storage.engines.base import Database
from tests import history, world
from tests.world import WriterNode, refusal, stored


class MoodExtras(Extras, frozen=True):
    """A field that only these tests register."""

    mood: Literal["calm", "wild"] | None = None


class NoExtras(msgspec.Struct, forbid_unknown_fields=True):
    """The extras of a server without optional fields."""


CALM = {"mood": "calm"}
WILD = {"mood": "wild"}


@pytest.fixture
async def node(database: Database) -> AsyncIterator[WriterNode]:
    made = WriterNode(database, extras_fields=MoodExtras)
    yield made
    await made.close()


async def alice_in_a_chat(database: Database) -> tuple[Actor, ChatId]:
    (alice,) = await world.people(database, "alice")
    return alice, await world.chat(database, alice)


async def log_of(database: Database, who: Actor) -> list[bytes]:
    """The blocks of all events, as a replay sends them."""
    head = (await database.read(lambda tx: events.heads(tx, who.workspace_id))).head
    return [frame.block for frame in await database.read(lambda tx: events.load(tx, who.workspace_id, 0, head))]


async def exported_messages(database: Database, who: Actor) -> list[dict[str, Any]]:
    lines: list[bytes] = []
    await database.read(lambda tx: write_workspace(tx, who.workspace_id, lines.append, lambda *_: None))
    return [line for each in b"".join(lines).splitlines() if (line := orjson.loads(each))["type"] == "message"]


async def test_extras_reach_answers_frames_and_replays_unchanged(database: Database, node: WriterNode) -> None:
    alice, chat_id = await alice_in_a_chat(database)
    sent = await node.sent(alice, chat_id, "hello", "key", extras=CALM)
    plain = await node.sent(alice, chat_id, "plain")
    assert sent.pop("idempotency_key") == "key"
    assert sent["extras"] == CALM
    assert "extras" not in plain
    assert (await log_of(database, alice))[-2:] == [frame.block for frame in node.frames]
    assert [orjson.loads(block_json(frame.block))["data"]["message"] for frame in node.frames] == [sent, plain]


async def test_extras_are_on_pages_in_lists_of_chats_and_in_exports(database: Database, node: WriterNode) -> None:
    alice, chat_id = await alice_in_a_chat(database)
    plain, sent = await node.sent(alice, chat_id, "plain"), await node.sent(alice, chat_id, extras=CALM)
    page = await database.read(lambda tx: history.latest(tx, chat_id, 10))
    assert orjson.loads(encode(page))["items"] == [sent, plain]
    listed = orjson.loads(await database.read(lambda tx: views.encoded_chats_of(tx, alice, limit=10)))
    assert listed[0]["last_message"] == sent
    assert [line.get("extras") for line in await exported_messages(database, alice)] == [None, CALM]


async def test_an_edit_keeps_extras_and_a_deletion_removes_them_everywhere(
    database: Database, node: WriterNode
) -> None:
    alice, chat_id = await alice_in_a_chat(database)
    edited, deleted = [MessageId((await node.sent(alice, chat_id, "one", extras=CALM))["id"]) for _ in range(2)]
    await world.do(database, changes.edit, alice, chat_id, edited, "two")
    await world.do(database, changes.edit, alice, chat_id, deleted, "two")
    await world.do(database, changes.delete, alice, chat_id, deleted)
    found = [orjson.loads(block_json(block))["data"] for block in await log_of(database, alice)]
    messages = [data["message"] for data in found if "message" in data]
    assert [each.get("extras") for each in messages if each["id"] == edited] == [CALM, CALM]
    assert [each.get("extras") for each in messages if each["id"] == deleted] == [None, None, None]


async def test_retention_removes_extras(database: Database, node: WriterNode) -> None:
    alice, chat_id = await alice_in_a_chat(database)
    old = MessageId((await node.sent(alice, chat_id, "old", extras=CALM))["id"])
    await database.write(alice.workspace_id, lambda tx: retention.empty(tx, alice.workspace_id, [old]))
    rows = await database.read(lambda tx: tx.fetch("SELECT extras FROM messages WHERE chat_id = $1", chat_id))
    assert [row["extras"] for row in rows] == [None]


@pytest.mark.parametrize(
    ("extras", "pointer", "code"),
    [
        ({"mood": "odd"}, "/extras/mood", "invalid_value"),
        ({"mood": 1}, "/extras/mood", "invalid_type"),
        ({"weather": "rain"}, "/extras/weather", "unknown_field"),
        ([], "/extras", "invalid_type"),
    ],
)
async def test_invalid_extras_are_refused_alone(
    database: Database, node: WriterNode, extras: object, pointer: str, code: str
) -> None:
    alice, chat_id = await alice_in_a_chat(database)
    bad, good = node.push(alice, chat_id, extras=extras), node.push(alice, chat_id, extras=CALM)
    await node.commit()
    problem = await bad
    assert isinstance(problem, Invalid)
    assert [(error.pointer, error.code) for error in problem.errors] == [(pointer, code)]
    assert stored(await good)[1]["number"] == 1


class BrittleExtras(Extras, frozen=True):
    mood: str

    def __post_init__(self) -> None:
        if self.mood == "broken":
            raise RuntimeError("a fault in the check")


async def test_extras_whose_check_fails_do_not_affect_other_messages(database: Database) -> None:
    alice, chat_id = await alice_in_a_chat(database)
    node = WriterNode(database, extras_fields=BrittleExtras)
    moods: list[dict[str, Any]] = [{"mood": mood} for mood in ("calm", "broken", "wild", "calm")]
    pushed = [node.push(alice, chat_id, extras=extras) for extras in moods] + [node.push(alice, chat_id)]
    await node.commit()
    assert refusal(await pushed[1]) == (503, "not_stored")
    assert [stored(await pushed[place])[1]["number"] for place in (0, 2, 3, 4)] == [1, 2, 3, 4]
    assert node.failures() == (1, "RuntimeError: a fault in the check")
    await node.close()


async def test_a_key_with_other_extras_is_a_conflict(database: Database, node: WriterNode) -> None:
    alice, chat_id = await alice_in_a_chat(database)
    first = await node.sent(alice, chat_id, "hello", "key", extras=CALM)
    assert stored(await node.send(alice, chat_id, "hello", "key", extras=CALM)) == (200, first)
    assert refusal(await node.send(alice, chat_id, "hello", "key", extras=WILD)) == (409, "idempotency_conflict")
    assert refusal(await node.send(alice, chat_id, "hello", "key")) == (409, "idempotency_conflict")


async def test_extras_are_an_unknown_field_as_long_as_no_field_is_defined(database: Database) -> None:
    alice, chat_id = await alice_in_a_chat(database)
    node = WriterNode(database, extras_fields=NoExtras)
    problem = await node.send(alice, chat_id, extras=CALM)
    await node.close()
    assert isinstance(problem, Invalid)
    assert [(error.pointer, error.code) for error in problem.errors] == [("/extras", "unknown_field")]
