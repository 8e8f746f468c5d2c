"""Turns the bearer token into an `Actor`, in the same snapshot or transaction as the endpoint's work.

Endpoints pass their work to `read` or `write`, so no endpoint can forget the sign-in, the workspace's lock or the
position.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar, cast

import msgspec
from starlette.requests import HTTPConnection, Request

from fechatter.api import clients, sharing
from fechatter.auth.pace import CHANGE_ROWS
from fechatter.auth.tokens import Claims
from fechatter.errors import Unauthorized
from fechatter.model import Actor, Origin, Position, SessionId
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import may
from fechatter.services import Services
from fechatter.storage import rights
from fechatter.storage.engines.base import Database, Row, Transaction

TWICE = "The request has two Authorization headers."
"""A proxy may have checked the other one."""

T = TypeVar("T")
ActorWork = Callable[[Transaction, Actor], Awaitable[T]]
AskRow = Callable[[Database, SessionId], Awaitable[Row | None]]


def services(request: HTTPConnection) -> Services:
    """Return the services that endpoints may use."""
    return cast(Services, request.scope["app"].services)


def claims(request: HTTPConnection) -> Claims:
    """Return the claims of the bearer token, verified once per request. Raises Unauthorized."""
    found: Claims | None = request.scope["state"].get("claims")
    if found is not None:
        return found
    given = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if len(given) > 1:
        raise Unauthorized(TWICE)
    who = services(request).tokens.verify(bearer_token(given[0] if given else b""))
    request.scope["state"]["claims"] = who
    return who


def bearer_token(authorization: bytes) -> str:
    """Return the token of an Authorization header. Raises Unauthorized: another scheme, or an empty header."""
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        raise Unauthorized()
    return token.decode("latin-1")


async def signed_in(tx: Transaction, claims: Claims) -> Actor:
    """Return the person as stored now. Raises Unauthorized: the session has ended, or the person was disabled."""
    return _check_actor(await rights.actor(tx, claims.session_id), claims)


def _check_actor(actor: Actor | None, claims: Claims) -> Actor:
    if actor is None or actor.user_id != claims.user_id or actor.workspace_id != claims.workspace_id:
        raise Unauthorized("This session has ended.")
    return actor


async def read(request: HTTPConnection, work: ActorWork[T]) -> tuple[T, Position]:
    """Run `work` on one snapshot. Returns its result and the position of the snapshot. Raises Unauthorized."""
    who = claims(request)

    async def snapshot(tx: Transaction) -> tuple[T, Actor, Position]:
        found, position = await rights.reader(tx, who.session_id)
        actor = _check_actor(found, who)
        return await work(tx, actor), actor, position

    result, actor, position = await sharing.charged(request, services(request).database.read, snapshot)
    # Not in the snapshot, which may run on another thread.
    services(request).watch.admins.note(who.session_id, admin=may(actor.role, WorkspaceAction.SEE_HEALTH))
    return result, position


async def read_row(request: HTTPConnection, ask: AskRow) -> tuple[Row, Actor, Position]:
    """Read one row of `rights.with_reader` in one statement. It costs about half as much as `read`.

    Returns the row, its person and its position. Raises Unauthorized.
    """
    found, who = services(request), claims(request)
    try:
        row = await ask(found.database, who.session_id)
    finally:
        sharing.count(request, 1)
    reader, position = rights.reader_of(row, who.session_id)
    actor = _check_actor(reader, who)
    found.watch.admins.note(who.session_id, admin=may(actor.role, WorkspaceAction.SEE_HEALTH))
    assert row is not None
    return row, actor, position


async def write(request: Request, work: ActorWork[T]) -> T:
    """Run `work` in one transaction, under the lock of the actor's workspace. Raises Unauthorized."""
    who = claims(request)
    origin = Origin("api", clients.address(request, services(request).settings))

    async def transaction(tx: Transaction) -> T:
        return await work(tx, msgspec.structs.replace(await signed_in(tx, who), origin=origin))

    sharing.count(request, CHANGE_ROWS)
    write_locked = partial(services(request).database.write, who.workspace_id)
    return await sharing.charged(request, write_locked, transaction)
