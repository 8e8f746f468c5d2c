"""Every stored event type is defined once, with its own code, its visibility and its data."""

from __future__ import annotations

import pytest

from fechatter.api.contract import frames
from fechatter.api.contract.frames import ChatEvent, WorkspaceEvent
from fechatter.events import EVENTS, EventType, Visibility, types_visible_to
from fechatter.storage import events
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.event_types import TYPES
from tests import world


def test_every_stored_type_is_defined_with_a_code_of_its_own() -> None:
    assert set(EVENTS) == set(TYPES.values()) == set(EventType) - {EventType.UNREADABLE}


def test_the_contract_has_every_type_except_those_of_the_server() -> None:
    assert set(frames.EVENTS) == {str(each) for each in set(EVENTS) - set(types_visible_to(Visibility.SERVER))}


def test_events_of_a_chat_contain_its_id_and_events_of_the_workspace_do_not() -> None:
    for event_type in types_visible_to(Visibility.CHAT):
        assert issubclass(frames.EVENTS[event_type], ChatEvent)
    for event_type in types_visible_to(Visibility.WORKSPACE):
        assert issubclass(frames.EVENTS[event_type], WorkspaceEvent)


async def test_data_of_another_event_type_is_not_stored(database: Database) -> None:
    (alice,) = await world.people(database, "alice")

    async def work(tx: Transaction) -> None:
        own, other = await world.user_data(tx, alice), await world.workspace_data(tx, alice.workspace_id)
        wrong = [
            events.Draft(EventType.USER_UPDATED, data=other),
            events.Draft(EventType.USER_UPDATED, data=own, own=other),
            events.Draft(EventType.USER_UPDATED),
            events.Draft(EventType.MESSAGE_EDITED, data=own),
            events.Draft(EventType.SESSION_REVOKED, data=own),
        ]
        for draft in wrong:
            with pytest.raises(TypeError, match=r"fechatter/events\.py"):
                await events.append(tx, alice.workspace_id, [draft], rights=False)

    await database.write(alice.workspace_id, work)
