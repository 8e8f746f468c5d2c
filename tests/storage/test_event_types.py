"""Every stored event type is defined once, with its own code, its visibility and its data."""

from __future__ import annotations

import pytest

from fechatter.api.contract import frames
from fechatter.api.contract.frames import ChatEvent, WorkspaceEvent
from fechatter.events import EVENTS, EventData, EventType, Visibility, WorkspaceData, types_visible_to
from fechatter.model import Workspace, WorkspaceId
from fechatter.storage import events
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.event_types import TYPES


def test_every_stored_type_has_its_own_code() -> None:
    assert set(EVENTS) == set(TYPES.values()) == set(EventType) - {EventType.UNREADABLE}


def test_the_contract_contains_every_type_except_those_of_the_server() -> None:
    assert set(frames.EVENTS) == {str(each) for each in set(EVENTS) - set(types_visible_to(Visibility.SERVER))}


def test_events_of_a_chat_contain_its_id_and_events_of_the_workspace_do_not() -> None:
    for event_type in types_visible_to(Visibility.CHAT):
        assert issubclass(frames.EVENTS[event_type], ChatEvent)
    for event_type in types_visible_to(Visibility.WORKSPACE):
        assert issubclass(frames.EVENTS[event_type], WorkspaceEvent)


@pytest.mark.parametrize("wrong", [None, "own"])
async def test_data_of_another_event_type_is_not_stored(database: Database, wrong: str | None) -> None:
    data: EventData = WorkspaceData(Workspace(WorkspaceId(1), "w", "W", ""))

    async def work(tx: Transaction) -> None:
        draft = events.Draft(EventType.USER_UPDATED, data=data)
        await events.insert(tx, WorkspaceId(1), 1, [draft])

    with pytest.raises(TypeError, match=r"fechatter/events\.py"):
        await database.write_unlocked(work)
