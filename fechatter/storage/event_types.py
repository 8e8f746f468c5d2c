"""How event types are stored: small integers, never renumbered."""

from __future__ import annotations

from typing import Final

from fechatter.model import EventType

TYPE_CODES: Final = {
    EventType.MESSAGE_CREATED: 1,
    EventType.MESSAGE_EDITED: 2,
    EventType.MESSAGE_DELETED: 3,
    EventType.CHAT_UPDATED: 4,
    EventType.CHAT_DELETED: 5,
    EventType.MEMBER_JOINED: 6,
    EventType.MEMBER_LEFT: 7,
    EventType.MEMBER_ROLE_CHANGED: 8,
    EventType.USER_JOINED: 9,
    EventType.USER_UPDATED: 10,
    EventType.USER_DISABLED: 11,
    EventType.WORKSPACE_UPDATED: 12,
    EventType.SESSION_REVOKED: 13,
    EventType.PREFERENCES_UPDATED: 14,
}
TYPES: Final = {code: event_type for event_type, code in TYPE_CODES.items()}
MESSAGE_CREATED: Final = TYPE_CODES[EventType.MESSAGE_CREATED]
