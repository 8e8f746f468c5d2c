"""The audit log: acts of owners and admins, and of the operator at the command line."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.identity import read
from fechatter.api.operations import Answer, operation
from fechatter.api.paging import Items, Page, page_of
from fechatter.api.responses import json_response
from fechatter.audit import reading
from fechatter.model import Timestamp, UserId, timestamp
from fechatter.storage.audit import Entry


class Subject(msgspec.Struct, frozen=True):
    """The object of an act."""

    type: Annotated[str, msgspec.Meta(examples=["user"])]
    id: Annotated[int, msgspec.Meta(examples=[8])]


class EntryView(msgspec.Struct, frozen=True):
    """An act. An act by a request has `actor_id` and `address`; an act by a command has `system_user` instead."""

    id: Annotated[int, msgspec.Meta(examples=[1300])]
    created_at: Timestamp
    action: Annotated[str, msgspec.Meta(examples=["user.role_changed"])]
    actor_id: UserId | None
    source: Annotated[str, msgspec.Meta(description="`api` or `command_line`.", examples=["api"])]
    address: Annotated[str | None, msgspec.Meta(examples=["192.0.2.7"])]
    system_user: str | None
    subject: Subject
    before: Annotated[dict[str, Any] | None, msgspec.Meta(examples=[{"role": "member"}])]
    after: Annotated[dict[str, Any] | None, msgspec.Meta(examples=[{"role": "admin"}])]


@operation("listAuditEntries", Answer(Items[EntryView]), refuses=("forbidden",))
async def index(request: Request, page: Page) -> Response:
    """List the entries of the audit log

    Oldest first. For owners only.
    """
    found, _ = await read(request, lambda tx, actor: reading.page(tx, actor, page.after, page.limit + 1))
    return json_response(page_of([_view(entry) for entry in found], page))


def _view(entry: Entry) -> EntryView:
    by_request = entry.origin.source == "api"
    return EntryView(
        id=entry.id,
        created_at=timestamp(entry.created_at),
        action=entry.action,
        actor_id=entry.actor_id,
        source=entry.origin.source,
        address=entry.origin.place if by_request else None,
        system_user=None if by_request else entry.origin.place,
        subject=Subject(entry.subject_type, entry.subject_id),
        before=entry.before,
        after=entry.after,
    )
