"""Every stored event type has a code and declares who sees it."""

from __future__ import annotations

from fechatter.api.contract.frames import EVENTS, ChatEvent, PeopleEvent
from fechatter.model import EVENT_VISIBILITY, EventType, Visibility, types_visible_to
from fechatter.storage.event_types import TYPE_CODES


def test_every_stored_type_declares_who_sees_it() -> None:
    assert set(EVENT_VISIBILITY) == set(TYPE_CODES) == set(EventType) - {EventType.UNREADABLE}


def test_clients_are_promised_every_type_but_those_of_the_server() -> None:
    assert set(EVENTS) == {str(each) for each in set(EVENT_VISIBILITY) - set(types_visible_to(Visibility.SERVER))}


def test_events_of_a_chat_name_it_and_events_of_the_workspace_name_none() -> None:
    for event_type in types_visible_to(Visibility.CHAT):
        assert issubclass(EVENTS[event_type], ChatEvent)
    for event_type in types_visible_to(Visibility.WORKSPACE):
        assert issubclass(EVENTS[event_type], PeopleEvent)
