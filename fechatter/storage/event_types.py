"""The codes of event types in the table `events`, in both directions."""

from __future__ import annotations

from typing import Final

from fechatter.events import EVENTS, EventType

TYPE_CODES: Final = {event_type: kind.code for event_type, kind in EVENTS.items()}
TYPES: Final = {code: event_type for event_type, code in TYPE_CODES.items()}
MESSAGE_CREATED: Final = TYPE_CODES[EventType.MESSAGE_CREATED]
