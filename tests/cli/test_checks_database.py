"""Doctor's checks of the database."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from fechatter.cli import checks_database, checks_postgres
from fechatter.cli.doctor import log_findings
from fechatter.cli.findings import seconds_apart
from fechatter.settings import Settings
from fechatter.storage.engines.sqlite_migrate import migrate_sqlite
from fechatter.storage.engines.sqlite_open import log_file, open_file

FINE = {
    "version": 18,
    "encoding": "UTF8",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "off",
    "in_recovery": False,
    "connections": 97,
}


@pytest.mark.parametrize(
    ("wrong", "report"),
    [
        ({"version": 13}, "Upgrade"),
        ({"encoding": "SQL_ASCII"}, "--encoding=UTF8"),
        ({"fsync": "off"}, "Set fsync = on"),
        ({"full_page_writes": "off"}, "Set full_page_writes = on"),
        ({"in_recovery": True}, "Name the primary"),
        ({"read_only": "on"}, "Set default_transaction_read_only = off"),
        ({"connections": 14}, "Set max_connections to 18"),
    ],
)
def test_unsafe_settings_of_postgresql_are_reported(wrong: dict[str, object], report: str) -> None:
    assert checks_postgres.judge(FINE, 10).good
    finding = checks_postgres.judge(FINE | wrong, 10)
    assert not finding.good
    assert report in finding.remedy


def test_the_settings_of_a_running_postgresql_are_checked(postgres_url: str) -> None:
    # The tests' own server does not write full pages, and the doctor reports it.
    remedy = checks_database.database_settings(Settings(database_url=postgres_url)).remedy
    assert remedy.startswith("Set full_page_writes = on")
    assert checks_database.database_clock(Settings(database_url=postgres_url)).good
    assert not checks_database.database_settings(Settings(database_url="postgres://me@127.0.0.1:1/db")).good


def test_a_database_with_a_different_clock_is_reported(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    finding = checks_database.database_clock(Settings(database_url=postgres_url))
    assert finding.state.startswith("differs from this machine's by +36")


def _migrated_database(folder: Path) -> Settings:
    migrate_sqlite(folder / "fechatter.db")
    return Settings(data_dir=folder)


def test_a_journal_mode_other_than_wal_is_reported(tmp_path: Path) -> None:
    settings = _migrated_database(tmp_path)
    assert checks_database.database_settings(settings).good
    with closing(sqlite3.connect(tmp_path / "fechatter.db")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    assert "not WAL" in checks_database.database_settings(settings).state


def test_checks_keep_a_running_servers_locks_on_the_database(tmp_path: Path) -> None:
    settings = _migrated_database(tmp_path)
    database = tmp_path / "fechatter.db"
    with closing(open_file(database)) as served:
        served.execute("SELECT COUNT(*) FROM messages").fetchone()
        served.execute("UPDATE server SET epoch = epoch")
        log_findings(settings)
        # A program that closes the database deletes its log, unless another one has a lock.
        other = (
            f"import sqlite3, sys; c = sqlite3.connect({str(database)!r}); c.execute('SELECT * FROM server'); c.close()"
        )
        subprocess.run([sys.executable, "-c", other], check=True, timeout=60)
        assert log_file(database, "-wal").exists()


def test_a_damaged_database_file_is_reported(tmp_path: Path) -> None:
    settings = _migrated_database(tmp_path)
    assert checks_database.integrity(settings).state == "ok"
    path = tmp_path / "fechatter.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * 8192 + whole[12288:])
    finding = checks_database.integrity(settings)
    assert not finding.good
    assert "restore the newest backup" in finding.remedy


MANY_MESSAGES = """
WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 200000)
INSERT INTO messages (id, chat_id, number, sender_id, content, created_at) SELECT n, 1, n, 1, 'x', 1 FROM g"""


def test_a_check_of_integrity_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _migrated_database(tmp_path)
    with closing(sqlite3.connect(tmp_path / "fechatter.db")) as connection:
        connection.execute(MANY_MESSAGES)
        connection.commit()
    monkeypatch.setattr(checks_database, "CHECK_SECONDS", 0.0)
    assert "too large for a complete check" in checks_database.integrity(settings).state


def test_messages_from_the_future_are_reported(tmp_path: Path) -> None:
    settings = _migrated_database(tmp_path)
    assert checks_database.database_clock(settings).good
    with closing(sqlite3.connect(tmp_path / "fechatter.db")) as connection:
        columns = "id, chat_id, number, sender_id, content, created_at"
        an_hour_ahead = int(time.time() * 1000) + 3_600_000
        connection.execute(f"INSERT INTO messages ({columns}) VALUES (1, 1, 1, 1, 'x', ?)", (an_hour_ahead,))
        connection.commit()
    assert "in the future" in checks_database.database_clock(settings).state


@pytest.mark.parametrize(
    ("there", "before", "after", "apart"),
    [
        (100.0, 100.0, 100.0, 0.0),
        (105.0, 100.0, 160.0, 0.0),  # A busy machine needed a minute to read the other clock.
        (101.5, 100.0, 100.0, 0.0),
        (90.0, 100.0, 160.0, -10.0),
        (170.0, 100.0, 160.0, 10.0),
    ],
)
def test_the_duration_of_a_check_is_not_a_difference_of_clocks(
    there: float, before: float, after: float, apart: float
) -> None:
    assert seconds_apart(there, before, after) == apart
