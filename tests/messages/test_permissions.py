"""Verdicts that outlive a change of rights are the same as verdicts that are read again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from fechatter.accounts import people
from fechatter.chats import change, membership
from fechatter.messages.permissions import Permissions
from fechatter.model import Actor, ChatId, Role
from fechatter.storage import events, rights, upkeep
from fechatter.storage.engines.base import Database
from tests import world
from tests.contracts.rows import Sending, store
from tests.world import FAR_MS

Place = tuple[Actor, Actor, Actor, ChatId, ChatId]
Pairs = set[tuple[int, int]]


async def place_of(database: Database) -> Place:
    """Return an owner, two members and two chats with all of them."""
    workspace_id = await world.workspace(database)
    alice = await world.person(database, workspace_id, "alice", Role.OWNER)
    bob, carol = [await world.person(database, workspace_id, name) for name in ("bob", "carol")]
    return alice, bob, carol, *[await world.chat(database, alice, bob, carol) for _ in range(2)]


async def cached(database: Database, place: Place) -> Permissions:
    """Return permissions with a verdict for each pair of the place."""
    permissions = Permissions(database)
    pairs = sorted(pairs_of(place))
    verdicts = await database.writer.call(lambda: permissions.decide(pairs))
    assert {verdict.refusal for verdict in verdicts} == {None}
    return permissions


def pairs_of(place: Place) -> Pairs:
    *persons, first, second = place
    return {(who.session_id, chat_id) for who in persons for chat_id in (first, second)}


async def renewed(database: Database, permissions: Permissions, place: Place) -> Pairs:
    """Renew the verdicts; return the pairs whose verdict is still cached."""
    await database.writer.call(lambda: permissions.renew(place[0].workspace_id))
    return set(permissions._verdicts)


CHANGES: dict[str, tuple[Callable[[Database, Place], Awaitable[object]], Callable[[Place], Pairs]]] = {
    "session ended": (
        lambda database, place: world.do(database, world.revoke, place[1]),
        lambda place: {(place[1].session_id, place[3]), (place[1].session_id, place[4])},
    ),
    "left": (
        lambda database, place: world.do(database, membership.leave, place[1], place[3]),
        lambda place: {(place[1].session_id, place[3])},
    ),
    "owner left": (
        lambda database, place: world.do(database, membership.leave, place[0], place[3]),
        lambda place: {(place[0].session_id, place[3]), (place[1].session_id, place[3])},
    ),
    "removed": (
        lambda database, place: world.do(database, membership.remove, place[0], place[3], [place[1].user_id]),
        lambda place: {(place[1].session_id, place[3])},
    ),
    "transferred": (
        lambda database, place: world.do(database, membership.transfer, place[0], place[3], place[2].user_id),
        lambda place: {(place[0].session_id, place[3]), (place[2].session_id, place[3])},
    ),
    "archived": (
        lambda database, place: world.do(database, change.change, place[0], place[3], change.ChatUpdate(archived=True)),
        lambda place: {(who.session_id, place[3]) for who in place[:3]},
    ),
    "deleted": (
        lambda database, place: world.do(database, change.delete, place[0], place[3]),
        lambda place: {(who.session_id, place[3]) for who in place[:3]},
    ),
    "disabled": (
        lambda database, place: world.do(
            database, people.update, place[0], place[1].user_id, people.Standing(disabled=True)
        ),
        lambda place: {(place[1].session_id, place[3]), (place[1].session_id, place[4])},
    ),
    "role changed": (
        lambda database, place: world.do(
            database, people.update, place[0], place[1].user_id, people.Standing(role=Role.GUEST)
        ),
        lambda place: {(place[1].session_id, place[3]), (place[1].session_id, place[4])},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_of_rights_renews_the_verdicts_that_it_does_not_affect(database: Database, name: str) -> None:
    place = await place_of(database)
    permissions = await cached(database, place)
    do, affected = CHANGES[name]
    await store(database, [Sending(place[0], place[3])])
    await do(database, place)
    await store(database, [Sending(place[0], place[4])])
    kept = await renewed(database, permissions, place)
    assert kept == pairs_of(place) - affected(place)
    read = await database.read(lambda tx: rights.writers(tx, list(kept)))
    assert permissions._verdicts == read


async def test_a_later_change_counts_too(database: Database) -> None:
    place = await place_of(database)
    permissions = await cached(database, place)
    await world.do(database, membership.leave, place[1], place[3])
    await renewed(database, permissions, place)
    await world.do(database, membership.leave, place[2], place[4])
    kept = await renewed(database, permissions, place)
    assert kept == pairs_of(place) - {(place[1].session_id, place[3]), (place[2].session_id, place[4])}


@pytest.mark.parametrize("why", ["pruned", "too many", "another era", "too many events"])
async def test_all_verdicts_are_dropped_if_the_log_does_not_show_the_changes(
    database: Database, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    place = await place_of(database)
    permissions = await cached(database, place)
    workspace_id = place[0].workspace_id
    await world.do(database, membership.leave, place[1], place[3])
    if why == "pruned":
        await database.write(workspace_id, lambda tx: upkeep.drop_old_events(tx, workspace_id, FAR_MS))
    elif why == "too many":
        for _ in range(rights.MAX_CHANGES):
            await world.do(database, world.revoke, place[2])
    elif why == "too many events":
        await store(database, [Sending(place[0], place[4])] * rights.MAX_EVENTS)
        await world.do(database, world.revoke, place[2])
    else:
        await database.begin_era(database.era)
    assert await renewed(database, permissions, place) == set()


async def test_a_change_in_one_workspace_keeps_the_verdicts_of_another(database: Database) -> None:
    first, second = await place_of(database), await place_of(database)
    permissions = await cached(database, first)
    await database.writer.call(lambda: permissions.decide(sorted(pairs_of(second))))
    await world.do(database, world.revoke, first[1])
    assert pairs_of(second) <= await renewed(database, permissions, first)
    heads = await database.read(lambda tx: events.heads(tx, first[0].workspace_id))
    own = [verdict for verdict in permissions._verdicts.values() if verdict.workspace_id == first[0].workspace_id]
    assert {verdict.rights_seq for verdict in own} == {heads.rights}
