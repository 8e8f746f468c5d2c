"""The content of an export."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from fechatter.chats import change, membership
from fechatter.export import writing
from fechatter.export.writing import write_workspace
from fechatter.messages import changes, versions
from fechatter.model import Actor, MessageId, encode
from fechatter.storage.engines.base import Database
from tests import world
from tests.contracts.rows import Sending, by_place, store
from tests.world import WriterNode


async def _export(database: Database, who: Actor) -> list[dict[str, Any]]:
    written: list[bytes] = []
    await database.read(lambda tx: write_workspace(tx, who.workspace_id, written.append, lambda *_: None))
    return [orjson.loads(line) for line in b"".join(written).splitlines()]


def _of(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["type"] == kind]


async def test_messages_have_their_versions_and_deleted_messages_have_no_content(
    database: Database, node: WriterNode
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    edited, deleted = await node.sent(alice, chat_id, "one"), await node.sent(bob, chat_id, "secret")
    for content in ("two", "three"):
        await world.do(database, changes.edit, alice, chat_id, edited["id"], content)
    await world.do(database, changes.edit, bob, chat_id, deleted["id"], "more secret")
    await world.do(database, changes.delete, bob, chat_id, deleted["id"])
    first, second = _of(await _export(database, alice), "message")
    assert (first["content"], first["revision"]) == ("three", 3)
    assert [(version["revision"], version["content"]) for version in first["versions"]] == [(1, "one"), (2, "two")]
    assert (second["content"], second["versions"], second["deleted_at"] is None) == ("", [], False)


async def test_versions_have_the_extras_of_their_time(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    calm, wild = '{"mood":"calm"}', '{"mood":"wild"}'
    stored = by_place(await store(database, [Sending(alice, chat_id, "one", extras=calm)]))
    message_id = MessageId(stored[0][0])
    for content, extras in (("two", wild), ("three", None), ("four", None)):
        await world.do(database, changes.edit, alice, chat_id, message_id, content)
        await database.write_unlocked(
            lambda tx, extras=extras: tx.execute("UPDATE messages SET extras = $2 WHERE id = $1", message_id, extras)
        )
    (line,) = _of(await _export(database, alice), "message")
    assert "extras" not in line
    assert [(each["content"], each.get("extras")) for each in line["versions"]] == [
        ("one", {"mood": "calm"}),
        ("two", {"mood": "wild"}),
        ("three", None),
    ]
    listed = await database.read(lambda tx: versions.page(tx, alice, chat_id, message_id, 0, 10))
    assert orjson.loads(encode(listed)) == line["versions"]


async def test_messages_of_threads_follow_those_of_the_chat_and_name_their_thread(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PAGE_ROWS", 2)
    alice, bob = await world.people(database, "alice", "bob")
    chats = [await world.chat(database, alice, bob) for _ in range(2)]
    threads = [[await world.thread(database, chat_id) for _ in range(3)] for chat_id in chats]
    places = [(chat_id, thread) for chat_id, ids in zip(chats, threads, strict=True) for thread in (0, *ids[:2])]
    # The last thread of each chat has no message.
    await store(database, [Sending(bob, chat_id, thread_id=thread) for _ in range(3) for chat_id, thread in places])
    lines = _of(await _export(database, alice), "message")
    assert [(line["chat_id"], line.get("thread_id", 0), line["number"]) for line in lines] == [
        (chat_id, thread, number) for chat_id, thread in places for number in (1, 2, 3)
    ]


async def test_pages_are_joined_without_a_gap(
    database: Database, node: WriterNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PAGE_ROWS", 2)
    people = await world.people(database, *"abcde")
    chats = [await world.chat(database, *people) for _ in range(3)]
    for chat_id in chats:
        for _ in range(5):
            await node.sent(people[0], chat_id)
    lines = await _export(database, people[0])
    assert [(line["chat_id"], line["number"]) for line in _of(lines, "message")] == [
        (c, n) for c in chats for n in range(1, 6)
    ]
    assert lines[-1] == {
        "type": "end",
        "counts": {"export": 1, "workspace": 1, "person": 5, "chat": 3, "membership": 15, "message": 15},
    }


async def test_deleted_chats_former_members_and_other_workspaces_are_left_out(
    database: Database, node: WriterNode
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    (carol,) = await world.people(database, "carol")
    kept, gone = await world.chat(database, alice, bob), await world.chat(database, alice, bob)
    await world.chat(database, carol)
    await node.sent(alice, gone, "was deleted")
    await world.do(database, membership.remove, alice, kept, [bob.user_id])
    await world.do(database, change.delete, alice, gone)
    lines = await _export(database, alice)
    assert [chat["id"] for chat in _of(lines, "chat")] == [kept]
    assert [member["user_id"] for member in _of(lines, "membership")] == [alice.user_id]
    assert _of(lines, "message") == []
    assert sorted(person["id"] for person in _of(lines, "person")) == [alice.user_id, bob.user_id]
