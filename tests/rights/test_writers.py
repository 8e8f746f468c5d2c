"""The rights that the database returns to the message writer equal the table, on both engines."""

from __future__ import annotations

from itertools import product

from fechatter.model import ChatType, Role, SessionId
from fechatter.rights.chats import refusal, standing
from fechatter.rights.table import ChatAction
from fechatter.storage import rights
from fechatter.storage.engines.base import Database, Transaction

FAR = 2**52
CHAT_ROLES = ("owner", "member", "left", None)

_WORKSPACE = "INSERT INTO workspaces (id, slug, name, created_at) VALUES ($1, $2, '', 0)"
_USER = """
INSERT INTO users
  (id, workspace_id, email, email_key, password_hash, fullname, handle, handle_key, role, created_at, disabled_at)
VALUES ($1, $2, $3, $3, '', '', $3, $3, $4, 0, $5)"""
_SESSION = """
INSERT INTO sessions (id, workspace_id, user_id, salt, created_at, last_used_at, expires_at, revoked_at)
VALUES ($1, $2, $1, $3, 0, 0, $4, $5)"""
_CHAT = """
INSERT INTO chats
  (id, workspace_id, chat_type, name, name_key, owner_id, creator_id, member_count, pair_low, pair_high, created_at,
  updated_at, archived_at, deleted_at)
VALUES ($1, $2, $3, $4, $4, $5, $5, $6, $7, $8, 0, 0, $9, $10)"""
_MEMBER = """
INSERT INTO memberships (chat_id, user_id, workspace_id, role, joined_seq, left_seq, joined_at)
VALUES ($1, $2, $3, $4, 1, $5, 0)"""


async def person(tx: Transaction, workspace_id: int, role: Role, *, ended: str = "") -> SessionId:
    """Insert a person with one session, whose id equals the person's id."""
    user_id = await tx.new_id()
    await tx.execute(_USER, user_id, workspace_id, f"p{user_id}", role.value, 1 if ended == "disabled" else None)
    expires_at = 1 if ended == "expired" else FAR
    await tx.execute(_SESSION, user_id, workspace_id, b"salt", expires_at, 1 if ended == "revoked" else None)
    return SessionId(user_id)


async def chat(
    tx: Transaction, workspace_id: int, kind: ChatType, owner_id: int, *, archived: bool = False, deleted: bool = False
) -> int:
    chat_id = await tx.new_id()
    single = kind is ChatType.SINGLE
    name = f"n{chat_id}" if kind.endswith("channel") else None
    pair = (owner_id, chat_id) if single else (None, None)
    times = (1 if archived else None, 1 if deleted else None)
    await tx.execute(_CHAT, chat_id, workspace_id, kind.value, name, owner_id, 2 if single else 1, *pair, *times)
    return chat_id


async def enter(tx: Transaction, workspace_id: int, chat_id: int, user_id: int, chat_role: str | None) -> None:
    if chat_role is not None:
        left = chat_role == "left"
        await tx.execute(_MEMBER, chat_id, user_id, workspace_id, "member" if left else chat_role, 2 if left else None)


async def test_the_writers_decision_equals_the_table(database: Database) -> None:
    async def fill(tx: Transaction) -> dict[tuple[int, int], str | None]:
        workspace_id = await tx.new_id()
        await tx.execute(_WORKSPACE, workspace_id, f"w{workspace_id}")
        expected: dict[tuple[int, int], str | None] = {}
        for role, chat_role, kind, archived in product(Role, CHAT_ROLES, ChatType, (False, True)):
            if archived and kind is ChatType.SINGLE:
                continue
            session_id = await person(tx, workspace_id, role)
            chat_id = await chat(tx, workspace_id, kind, session_id, archived=archived)
            await enter(tx, workspace_id, chat_id, session_id, chat_role)
            who = standing(role, None if chat_role == "left" else chat_role)
            expected[session_id, chat_id] = refusal(ChatAction.SEND, kind, who, archived=archived)
        return expected

    expected = await database.write_unlocked(fill)
    found = await database.read(lambda tx: rights.writers(tx, list(expected)))
    assert {pair: each.refusal for pair, each in found.items()} == expected
    assert set(expected.values()) == {None, "not_found", "chat_archived"}


async def test_ended_sessions_deleted_chats_and_other_workspaces_are_refused(database: Database) -> None:
    async def fill(tx: Transaction) -> dict[tuple[int, int], str | None]:
        workspace_id, other_id = await tx.new_id(), await tx.new_id()
        for each in (workspace_id, other_id):
            await tx.execute(_WORKSPACE, each, f"w{each}")
        expected: dict[tuple[int, int], str | None] = {}
        owner = await person(tx, workspace_id, Role.OWNER)
        open_chat = await chat(tx, workspace_id, ChatType.GROUP, owner)
        gone = await chat(tx, workspace_id, ChatType.GROUP, owner, deleted=True)
        await enter(tx, workspace_id, gone, owner, "owner")
        expected[owner, gone] = "not_found"
        for ended in ("disabled", "revoked", "expired"):
            out = await person(tx, workspace_id, Role.OWNER, ended=ended)
            await enter(tx, workspace_id, open_chat, out, "member")
            expected[out, open_chat] = "unauthorized"
        expected[await person(tx, other_id, Role.OWNER), open_chat] = "not_found"
        return expected

    expected = await database.write_unlocked(fill)
    found = await database.read(lambda tx: rights.writers(tx, list(expected)))
    assert {pair: each.refusal for pair, each in found.items()} == expected
