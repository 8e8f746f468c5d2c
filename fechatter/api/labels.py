"""Labels of responses that the gateway may repeat: who may receive them again, and which events change them.

Only the gateway of this process receives labels; it removes them from the response. A route may be labelled only if
every field of its response changes by events that have one of its keys.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from fechatter.model import ChatId, UserId
from fechatter.rights.table import ChatAction

Labels = tuple[tuple[bytes, bytes], ...]

WANTED: Final = "labels"
"""In `scope["state"]`: whether the gateway wants labels."""


def for_members(request: Request, chat_id: ChatId, action: ChatAction) -> Labels:
    """Label a response that everybody with the right to `action` in the chat may receive. Its key is the chat."""
    if not _wanted(request):
        return ()
    return _labels(b"scope=chat:%d, right=%b" % (chat_id, action.name.lower().encode()), b"chat:%d" % chat_id)


def for_session(request: Request, *people: UserId) -> Labels:
    """Label a response that only this session may receive. Its keys are `people`, who include the session's person."""
    if not _wanted(request):
        return ()
    return _labels(b"scope=session", b" ".join(b"user:%d" % each for each in dict.fromkeys(people)))


def _wanted(request: Request) -> bool:
    return bool(request.scope["state"].get(WANTED))


def _labels(control: bytes, keys: bytes) -> Labels:
    return (b"surrogate-control", control), (b"surrogate-key", keys)
