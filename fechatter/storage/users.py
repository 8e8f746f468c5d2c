"""Rows of people. `User` contains the public fields; `Account` is the whole row, for the package `accounts`."""

from __future__ import annotations

import msgspec

from fechatter.model import ChatId, Role, SessionId, Status, User, UserId, WorkspaceId, now_ms, timestamp
from fechatter.storage import statuses
from fechatter.storage.engines.base import Database, Row, Transaction
from fechatter.storage.rights import READER_COLUMNS, with_reader


class Account(msgspec.Struct, frozen=True):
    """A person's row; times in milliseconds."""

    id: UserId
    workspace_id: WorkspaceId
    workspace_slug: str
    workspace_name: str
    workspace_created_at: int
    workspace_default_chat_id: ChatId | None
    email: str
    password_hash: str
    fullname: str
    handle: str
    kind: str
    role: Role
    timezone: str | None
    language: str | None
    created_at: int
    disabled_at: int | None
    status: Status | None
    shows_presence: bool
    sends_receipts: bool

    def __repr__(self) -> str:
        return f"Account(id={self.id})"


class NewAccount(msgspec.Struct, frozen=True):
    """A person to insert. The keys are the folded forms with which queries find the row."""

    id: UserId
    workspace_id: WorkspaceId
    email: str
    email_key: str
    password_hash: str
    fullname: str
    fullname_key: str
    handle: str
    handle_key: str
    role: Role


_COLUMNS = f"""
SELECT u.id, u.workspace_id, w.slug, w.name, w.created_at AS workspace_created_at, w.default_chat_id, u.email,
    u.password_hash, u.fullname, u.handle, u.kind, u.role, u.timezone, u.language, u.created_at, u.disabled_at,
    u.shows_presence, u.sends_receipts, {statuses.COLUMNS}
FROM users u JOIN workspaces w ON w.id = u.workspace_id"""
_FIND = f"{_COLUMNS} WHERE u.workspace_id = $1 AND u.id = $2"
_ME = with_reader(
    "u.id, u.handle, u.fullname, u.kind, u.created_at AS joined_at, u.email, u.timezone, u.language, "
    f"u.shows_presence, u.sends_receipts, {statuses.COLUMNS}"
)
_BY_EMAIL = f"""
{_COLUMNS} WHERE u.email_key IN ($1, $2, $3) AND ($4 = '' OR w.slug = $4) AND u.kind = 'person'
ORDER BY CASE WHEN u.disabled_at IS NULL THEN 0 ELSE 1 END, u.id LIMIT $5"""
_BY_EMAIL_IN = f"{_COLUMNS} WHERE u.workspace_id = $1 AND u.email_key = $2"
# A guest ($3 = 1) sees only their own row ($4) and the people in their chats.
_VISIBLE = """
($3 = 0 OR u.id = $4 OR EXISTS (
    SELECT 1 FROM memberships mine JOIN memberships theirs ON theirs.chat_id = mine.chat_id
    WHERE mine.user_id = $4 AND mine.left_seq IS NULL AND theirs.user_id = u.id AND theirs.left_seq IS NULL))"""
_FIND_VISIBLE = f"{_COLUMNS} WHERE u.workspace_id = $1 AND u.id = $2 AND {_VISIBLE}"
SEARCH_WORDS = 4
"""Maximum number of words that a search matches separately."""
_HAS_WORD = "(u.fullname_key LIKE ${0} ESCAPE '!' OR u.handle_key LIKE ${0} ESCAPE '!')"
_PAGE = f"""
{_COLUMNS} WHERE u.workspace_id = $1 AND u.id > $2 AND {_VISIBLE}
    AND {" AND ".join(_HAS_WORD.format(6 + place) for place in range(SEARCH_WORDS))}
ORDER BY u.id LIMIT $5"""
_MANY = f"""
{_COLUMNS} WHERE u.workspace_id = $1 AND u.id > $2 AND {_VISIBLE} AND u.id IN ANY_OF($5) ORDER BY u.id LIMIT $6"""
_BY_HANDLE = f"{_COLUMNS} WHERE u.workspace_id = $1 AND u.handle_key = $2"
_HANDLE_TAKEN = "SELECT id FROM users WHERE workspace_id = $1 AND handle_key = $2"
_OTHER_OWNERS = """
SELECT id FROM users WHERE workspace_id = $1 AND id <> $2 AND role = 'owner' AND disabled_at IS NULL LIMIT 1"""
_INSERT = """
INSERT INTO users (id, workspace_id, email, email_key, password_hash, fullname, fullname_key, handle, handle_key, role,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""
_CHANGE_PROFILE = """
UPDATE users SET fullname = $2, fullname_key = $3, handle = $4, handle_key = COALESCE($5, handle_key), timezone = $6,
    language = $7, shows_presence = $8, sends_receipts = $9
WHERE id = $1"""
_CHANGE_STANDING = "UPDATE users SET role = $2, disabled_at = $3 WHERE id = $1"
_SENDS_RECEIPTS = "SELECT sends_receipts FROM users WHERE id = $1"
_CHANGE_PASSWORD = "UPDATE users SET password_hash = $2 WHERE id = $1"


async def insert(tx: Transaction, new: NewAccount) -> None:
    """Store a new person. Raises UniqueViolation: the e-mail address or the handle is taken in the workspace."""
    await tx.execute(_INSERT, *msgspec.structs.astuple(new), tx.now)


async def find(tx: Transaction, workspace_id: WorkspaceId, user_id: UserId) -> Account | None:
    """Return the account, even if it is disabled; None if the workspace has no such person."""
    return _account(await tx.fetchrow(_FIND, workspace_id, user_id))


async def read_me(database: Database, session_id: SessionId) -> Row | None:
    """Read the person of a session (`rights.with_reader`), with the columns for `me`."""
    return await database.read_row(_ME, session_id, now_ms(), keys=(session_id,))


def me(row: Row, role: Role) -> User:
    """Return the person of `read_me` as that person sees it."""
    user_id, handle, fullname, kind, created_at, email, timezone, language, shows, sends, *status = row[READER_COLUMNS:]
    return User(
        id=user_id,
        handle=handle,
        fullname=fullname,
        avatar_url=None,
        kind=kind,
        role=role,
        created_at=timestamp(created_at),
        disabled=False,
        status=statuses.of(*status),
        email=email,
        timezone=timezone,
        language=language,
        shows_presence=bool(shows),
        sends_receipts=bool(sends),
    )


async def find_visible(
    tx: Transaction, workspace_id: WorkspaceId, user_id: UserId, viewer_id: UserId, *, guest: bool
) -> Account | None:
    """Return the account if the viewer may see it."""
    return _account(await tx.fetchrow(_FIND_VISIBLE, workspace_id, user_id, int(guest), viewer_id))


async def by_email(
    tx: Transaction, email_key: str, slug: str, limit: int, other_keys: tuple[str, str] | None = None
) -> list[Account]:
    """Return the accounts of the address: enabled accounts first, then by age.

    Args:
        slug: the slug of the workspace; empty for all workspaces.
        other_keys: keys under which an earlier version may have stored the address.
    """
    keys = (email_key, *(other_keys or (email_key, email_key)))
    return [_known(row) for row in await tx.fetch(_BY_EMAIL, *keys, slug, limit)]


async def by_email_in(tx: Transaction, workspace_id: WorkspaceId, email_key: str) -> Account | None:
    """Return the account of the address in one workspace, or None."""
    return _account(await tx.fetchrow(_BY_EMAIL_IN, workspace_id, email_key))


async def by_handle(tx: Transaction, workspace_id: WorkspaceId, handle_key: str) -> Account | None:
    """Return the account with this handle, or None."""
    return _account(await tx.fetchrow(_BY_HANDLE, workspace_id, handle_key))


async def page(
    tx: Transaction, workspace_id: WorkspaceId, after: int, viewer_id: UserId, query: str, limit: int, *, guest: bool
) -> list[Account]:
    """Return people after the id `after`, by id, whose name or handle contains every word of `query`.

    `query` must be folded; it may be empty. A guest sees only people who share a chat with the guest.
    """
    rows = await tx.fetch(_PAGE, workspace_id, after, int(guest), viewer_id, limit, *_patterns(query))
    return [_known(row) for row in rows]


def _patterns(query: str) -> list[str]:
    """Return SEARCH_WORDS patterns for LIKE. The last pattern contains all remaining words."""
    escaped = query.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    words = escaped.split(maxsplit=SEARCH_WORDS - 1)
    return [f"%{word.strip()}%" for word in words] + ["%"] * (SEARCH_WORDS - len(words))


async def many(
    tx: Transaction,
    workspace_id: WorkspaceId,
    after: int,
    viewer_id: UserId,
    ids: list[int],
    limit: int,
    *,
    guest: bool,
) -> list[Account]:
    """Return the people among `ids` whom the viewer may see, after the id `after`, by id."""
    rows = await tx.fetch(_MANY, workspace_id, after, int(guest), viewer_id, ids, limit)
    return [_known(row) for row in rows]


async def is_handle_taken(tx: Transaction, workspace_id: WorkspaceId, handle_key: str) -> bool:
    """Return whether somebody in the workspace has this handle."""
    return await tx.fetchrow(_HANDLE_TAKEN, workspace_id, handle_key) is not None


async def has_other_owner(tx: Transaction, workspace_id: WorkspaceId, user_id: UserId) -> bool:
    """Return whether the workspace has another owner who is not disabled."""
    return await tx.fetchrow(_OTHER_OWNERS, workspace_id, user_id) is not None


async def change_profile(tx: Transaction, account: Account, fullname_key: str, handle_key: str | None) -> None:
    """Store name, handle, time zone, language and preferences. A `handle_key` of None keeps the stored key.

    Raises UniqueViolation: the handle is taken.
    """
    await tx.execute(
        _CHANGE_PROFILE,
        account.id,
        account.fullname,
        fullname_key,
        account.handle,
        handle_key,
        account.timezone,
        account.language,
        int(account.shows_presence),
        int(account.sends_receipts),
    )


async def change_standing(tx: Transaction, account: Account) -> None:
    """Store the account's role, and the time at which it was disabled."""
    await tx.execute(_CHANGE_STANDING, account.id, account.role, account.disabled_at)


async def sends_receipts(tx: Transaction, user_id: UserId) -> bool:
    """Return whether others may see what the person has read."""
    row = await tx.fetchrow(_SENDS_RECEIPTS, user_id)
    return row is not None and bool(row["sends_receipts"])


async def change_password(tx: Transaction, user_id: UserId, password_hash: str) -> None:
    """Store the hash of a new password."""
    await tx.execute(_CHANGE_PASSWORD, user_id, password_hash)


def public_view(account: Account) -> User:
    """Return the fields that everybody in the workspace may see, and that events contain."""
    return User(
        id=account.id,
        handle=account.handle,
        fullname=account.fullname,
        avatar_url=None,
        kind=account.kind,
        role=account.role,
        created_at=timestamp(account.created_at),
        disabled=account.disabled_at is not None,
        status=account.status,
    )


def _account(row: Row | None) -> Account | None:
    return None if row is None else _known(row)


def _known(row: Row) -> Account:
    return Account(
        id=row["id"],
        workspace_id=row["workspace_id"],
        workspace_slug=row["slug"],
        workspace_name=row["name"],
        workspace_created_at=row["workspace_created_at"],
        workspace_default_chat_id=row["default_chat_id"],
        email=row["email"],
        password_hash=row["password_hash"],
        fullname=row["fullname"],
        handle=row["handle"],
        kind=row["kind"],
        role=Role(row["role"]),
        timezone=row["timezone"],
        language=row["language"],
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
        status=statuses.of_row(row),
        shows_presence=bool(row["shows_presence"]),
        sends_receipts=bool(row["sends_receipts"]),
    )
