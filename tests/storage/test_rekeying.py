"""Rows of earlier versions get current keys. If two rows would get the same key, nothing is merged or lost."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechatter.cli import checks_names
from fechatter.settings import Settings
from fechatter.storage import rekeying, workspaces
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.opening import open_database
from fechatter.storage.rekeying import Keyed, changes

pytestmark = pytest.mark.empty_database

PERSON = """
INSERT INTO users
  (id, workspace_id, email, email_key, password_hash, fullname, fullname_key, handle, handle_key, role, created_at)
VALUES ($1, $2, $3, $4, 'x', $5, $6, $7, $8, 'member', 1)"""
CHANNEL = """
INSERT INTO chats (id, workspace_id, chat_type, name, name_key, owner_id, creator_id, created_at, updated_at)
VALUES ($1, $2, 'public_channel', $3, $4, $5, $5, 1, 1)"""


async def reopen(address: str) -> Database:
    return await open_database(address, lambda frames, signals: None, connections=4)


async def insert_earlier_rows(tx: Transaction) -> dict[str, int]:
    """Insert rows as an earlier version stored them: keys with invisible characters, and domains as typed."""
    workspace = await workspaces.insert(tx, "ours", "Ours")
    ids = {name: await tx.new_id() for name in ("idn", "plain", "taken", "moved", "hidden", "first", "second", "chain")}
    people = [
        ("idn", "ada@bücher.example", "Ada\u200b L", "ada\u200b l", "ada", "ada"),
        ("plain", "bob@example.org", "Bob", "bob", "bob", "bob"),
        ("taken", "eve@xn--bcher-kva.example", "Eve", "eve", "eve", "eve"),
        ("moved", "eve@bücher.example", "Eve", "eve", "e\u034fve", "e\u034fve"),
        ("hidden", "fay@example.org", "Fay", "fay", "\u3164", "\u1160"),
    ]
    for name, email, fullname, fullname_key, handle, handle_key in people:
        await tx.execute(PERSON, ids[name], workspace.id, email, email, fullname, fullname_key, handle, handle_key)
    for name, called, key in (
        ("first", "news", "news"),
        ("second", "ne\u200bws", "ne\u200bws"),
        ("chain", "a\u200b", "a\u200b"),
    ):
        await tx.execute(CHANNEL, ids[name], workspace.id, called, key, ids["plain"])
    await tx.execute("UPDATE server SET keys_version = 0 WHERE id = 1")
    return ids


async def test_rows_of_earlier_versions_get_new_keys_and_conflicts_are_reported(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = await reopen(address)
    ids = await database.write_unlocked(insert_earlier_rows)
    await database.close()
    with caplog.at_level(logging.WARNING):
        database = await reopen(address)
    people = {row["id"]: row for row in await database.read(lambda tx: tx.fetch("SELECT * FROM users"))}
    channels = {
        row["id"]: row["name_key"] for row in await database.read(lambda tx: tx.fetch("SELECT id, name_key FROM chats"))
    }
    kept = await database.read(rekeying.kept)
    await database.close()
    assert (people[ids["idn"]]["email"], people[ids["idn"]]["email_key"]) == ("ada@xn--bcher-kva.example",) * 2
    assert people[ids["idn"]]["fullname_key"] == "ada l"
    assert (people[ids["moved"]]["email"], people[ids["moved"]]["email_key"]) == ("eve@bücher.example",) * 2
    assert (people[ids["moved"]]["handle_key"], people[ids["hidden"]]["handle_key"]) == ("e\u034fve", "\u1160")
    assert [channels[ids[name]] for name in ("first", "second", "chain")] == ["news", "ne\u200bws", "a"]
    expected = {
        "e-mail addresses": [ids["moved"]],
        "handles": [ids["moved"], ids["hidden"]],
        "channels": [ids["second"]],
    }
    assert {each.kind: each.ids for each in kept} == expected
    assert sum("keep an older key" in record.message for record in caplog.records) == 3
    caplog.clear()
    await (await reopen(address)).close()
    assert not caplog.records


def test_the_doctor_lists_equal_names(monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(address: str) -> list[rekeying.Kept]:
        return [rekeying.Kept("channels", [1, 2, 3, 4, 5, 6])]

    monkeypatch.setattr(checks_names, "_kept", found)
    monkeypatch.setattr(checks_names, "pending_migrations", lambda address: 0)
    monkeypatch.setattr(checks_names.opening, "check_there", lambda address: None)
    finding = checks_names.names(Settings())
    assert (finding.good, finding.state) == (False, "6 channels with the name of another one (ids 1, 2, 3, 4, 5 …)")
    assert "disable" in finding.remedy


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdefgh")), unique_by=lambda row: row[0]))
def test_no_two_rows_ever_have_the_same_key(pairs: list[tuple[str, str]]) -> None:
    rows = [Keyed(number, key, wanted) for number, (key, wanted) in enumerate(pairs)]
    have = {row.id: row.key for row in rows}
    for row_id, key in changes(rows):
        assert key not in have.values()
        have[row_id] = key
    for row in rows:
        assert have[row.id] in (row.key, row.wanted)
        # A row that kept its key could not change it, because another row has the new key.
        assert have[row.id] == row.wanted or row.wanted in have.values()
