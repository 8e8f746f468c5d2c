"""Earlier contents: stored at every edit, shown to the sender and to admins in the chat, removed with the message."""

from __future__ import annotations

from typing import Any

import pytest

from fechatter.chats import change, membership
from fechatter.errors import Forbidden, NotFound
from fechatter.messages import changes, versions
from fechatter.model import Actor, ChatId, MessageId, Role
from fechatter.storage import audit
from fechatter.storage.engines.base import Database
from tests import world
from tests.contracts.rows import Sending, by_place, store


async def edited(database: Database, who: Actor, chat_id: ChatId, *contents: str) -> MessageId:
    """Send the first content, and edit it to the others one by one. Return the id of the message."""
    sent = MessageId(by_place(await store(database, [Sending(who, chat_id, contents[0])]))[0][0])
    for content in contents[1:]:
        await world.do(database, changes.edit, who, chat_id, sent, content)
    return sent


async def page(
    database: Database, who: Actor, chat_id: ChatId, message_id: MessageId, after: int = 0, limit: int = 100
) -> list[Any]:
    found = await database.read(lambda tx: versions.page(tx, who, chat_id, message_id, after, limit))
    return [(each.revision, each.content, each.edited_at is None) for each in found]


async def test_every_earlier_content_is_listed_once_oldest_first(database: Database) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    sent = await edited(database, alice, chat_id, "one", "two", "two", "three", "four")
    assert await page(database, alice, chat_id, sent) == [(1, "one", True), (2, "two", False), (3, "three", False)]
    assert await page(database, alice, chat_id, sent, after=1, limit=1) == [(2, "two", False)]
    plain = await edited(database, alice, chat_id, "never edited")
    assert await page(database, alice, chat_id, plain) == []


async def test_only_the_sender_and_admins_in_the_chat_see_earlier_contents(database: Database) -> None:
    workspace_id = await world.workspace(database)
    owner, sender, member = [await world.person(database, workspace_id, name) for name in ("owner", "sender", "member")]
    guest = await world.person(database, workspace_id, "guest", Role.GUEST)
    inside, outside = [await world.person(database, workspace_id, name, Role.ADMIN) for name in ("inside", "outside")]
    chat_id = await world.chat(database, owner, sender, member, guest, inside)
    sent = await edited(database, sender, chat_id, "one", "two")
    for who in (sender, inside):
        assert await page(database, who, chat_id, sent) == [(1, "one", True)]
    for who in (owner, member, guest):
        with pytest.raises(Forbidden) as refused:
            await page(database, who, chat_id, sent)
        assert refused.value.code == "not_the_sender"
    await world.do(database, membership.remove, owner, chat_id, [sender.user_id])
    for who in (sender, outside):
        with pytest.raises(NotFound):
            await page(database, who, chat_id, sent)
    with pytest.raises(NotFound):
        await page(database, inside, chat_id, MessageId(sent + 1000))
    await world.do(database, change.change, owner, chat_id, change.ChatUpdate(archived=True))
    assert await page(database, inside, chat_id, sent) == [(1, "one", True)]


async def test_deleting_a_message_removes_its_earlier_contents(database: Database) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    sent = await edited(database, alice, chat_id, "one", "two")
    await world.do(database, changes.delete, alice, chat_id, sent)
    assert await page(database, alice, chat_id, sent) == []


async def test_an_admins_deletion_of_another_persons_message_is_audited(database: Database) -> None:
    workspace_id = await world.workspace(database)
    owner, sender = [await world.person(database, workspace_id, name) for name in ("owner", "sender")]
    admin = await world.person(database, workspace_id, "admin", Role.ADMIN)
    chat_id = await world.chat(database, owner, sender, admin)
    first, second, third = [await edited(database, sender, chat_id, "secret") for _ in range(3)]
    for who, sent in ((sender, first), (owner, second), (admin, third), (admin, third)):
        await world.do(database, changes.delete, who, chat_id, sent)
    (entry,) = await database.read(lambda tx: audit.page(tx, workspace_id, 0, 10))
    assert (entry.action, entry.actor_id, entry.subject_id) == ("message.deleted", admin.user_id, third)
    assert (entry.before, entry.after) == ({"chat_id": chat_id, "sender_id": sender.user_id}, None)


async def test_the_number_of_edits_is_limited(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_EDITS", 2)
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    sent = await edited(database, alice, chat_id, "one", "two", "three")
    with pytest.raises(Forbidden) as refused:
        await world.do(database, changes.edit, alice, chat_id, sent, "four")
    assert refused.value.code == "too_many_edits"
