"""Sessions: opened by sign-in, extended by refresh, ended by their person, by an admin or by expiry.

The newest refresh token of a session is valid. Its predecessor is valid too, because the response with the newest token
may have been lost; a refresh with the predecessor returns the newest token again. A request with an older token means
that somebody copied the token, so the session ends.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

import msgspec

from fechatter.accounts.access import Access, Device, SignedIn
from fechatter.auth import refresh as tokens
from fechatter.auth.limits import REFRESH, SESSION
from fechatter.auth.refresh import RefreshToken
from fechatter.canonical.emails import email_key
from fechatter.errors import NotFound, Unauthorized
from fechatter.events import EventType
from fechatter.model import Actor, SessionId, UserId, WorkspaceId
from fechatter.storage import events, rights, sessions, users
from fechatter.storage.engines.base import Transaction
from fechatter.storage.sessions import Session
from fechatter.storage.users import Account

MAX_SESSIONS: Final = 50
SALT_BYTES: Final = 16
DAY_MS: Final = 24 * 60 * 60 * 1000


async def open_session(tx: Transaction, account: Account, device: Device, session_days: int) -> Session:
    """Open a session on a device. If the person has 50 sessions, the least recently used one ends."""
    unused = await sessions.delete_unused(tx, account.id, MAX_SESSIONS - 1)
    await _announce_end(tx, account.workspace_id, [(account.id, session_id) for session_id in unused])
    session_id = await tx.new_id()
    session = Session(
        id=SessionId(session_id),
        workspace_id=account.workspace_id,
        user_id=account.id,
        salt=secrets.token_bytes(SALT_BYTES),
        generation=1,
        created_at=tx.now,
        last_used_at=tx.now,
        expires_at=tx.now + session_days * DAY_MS,
        address=device.address,
        user_agent=device.user_agent,
        revoked_at=None,
        used_order=session_id,
    )
    await sessions.insert(tx, session)
    return session


async def refresh(access: Access, text: str, address: str, workspace_id: WorkspaceId | None = None) -> SignedIn:
    """Extend a session.

    Args:
        text: the refresh token.
        address: the client's address.
        workspace_id: the workspace of the cookie, if the token came in a cookie.

    Raises:
        Unauthorized: `token_reused` if the token is too old, which ends the session; or the token is invalid.
        TooManyRequests: `too_many_attempts`.
    """
    with access.limits.attempt(REFRESH, address):
        kept = await _keep(access, text, workspace_id)
    access.limits.remember(email_key(kept.account.email), kept.account.workspace_slug, address)
    return kept


async def _keep(access: Access, text: str, workspace_id: WorkspaceId | None) -> SignedIn:
    token = tokens.parse(text)
    session = await access.database.read(lambda tx: sessions.find(tx, token.session_id))
    if session is None or workspace_id not in (None, session.workspace_id):
        raise tokens.refused()
    if access.refresh_tokens.is_genuine(token, session.salt):
        access.limits.count(SESSION, str(session.id))
    workspace_id = session.workspace_id
    kept = await access.database.write(workspace_id, lambda tx: _refresh(tx, access, token, workspace_id))
    if kept is None:
        raise Unauthorized("This refresh token was used before. The session has ended.", code="token_reused")
    return kept


async def _refresh(tx: Transaction, access: Access, token: RefreshToken, workspace_id: WorkspaceId) -> SignedIn | None:
    """Return None if the token is too old. An exception would roll back the end of the session."""
    session = await sessions.find(tx, token.session_id)
    if session is None or not access.refresh_tokens.is_genuine(token, session.salt):
        raise tokens.refused()
    actor = await rights.actor(tx, session.id)
    account = None if actor is None else await users.find(tx, workspace_id, actor.user_id)
    if account is None or token.generation > session.generation:
        raise tokens.refused()
    if token.generation < session.generation - 1:
        await end(tx, workspace_id, [session])
        return None
    generation = token.generation + 1 if token.generation == session.generation else session.generation
    expires_at = tx.now + access.settings.session_days * DAY_MS
    await sessions.advance(tx, session.id, generation, expires_at)
    kept = msgspec.structs.replace(session, generation=generation, last_used_at=tx.now, expires_at=expires_at)
    return SignedIn(account, kept)


async def end(tx: Transaction, workspace_id: WorkspaceId, ended: Sequence[Session]) -> None:
    """End sessions. Their streams close and their tokens become invalid."""
    if ended:
        await sessions.delete(tx, [session.id for session in ended])
        await _announce_end(tx, workspace_id, [(session.user_id, session.id) for session in ended])


async def _announce_end(tx: Transaction, workspace_id: WorkspaceId, ended: Sequence[tuple[UserId, SessionId]]) -> None:
    """Append the events of sessions that were deleted in this transaction."""
    if ended:
        drafts = [
            events.Draft(EventType.SESSION_REVOKED, user_id=user_id, session_id=session_id)
            for user_id, session_id in ended
        ]
        await events.append(tx, workspace_id, drafts, rights=True)


async def end_own(tx: Transaction, actor: Actor, session_id: SessionId) -> None:
    """End one of the actor's sessions. Raises NotFound: the actor has no such session."""
    session = await sessions.find(tx, session_id)
    if session is None or session.user_id != actor.user_id or not session.is_live(tx.now):
        raise NotFound()
    await end(tx, actor.workspace_id, [session])


async def end_others(tx: Transaction, actor: Actor) -> None:
    """End all sessions of the actor except the current one."""
    own = await sessions.live(tx, actor.user_id)
    await end(tx, actor.workspace_id, [session for session in own if session.id != actor.session_id])
