import errno
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections import namedtuple
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fechatter.auth.secrets import open_secrets
from fechatter.cli import checks, checks_database, checks_network, main
from fechatter.cli.doctor import log_findings
from fechatter.cli.findings import seconds_apart
from fechatter.settings import Settings
from fechatter.storage.engines.sqlite_migrate import migrate_sqlite
from fechatter.storage.engines.sqlite_open import log_file, open_file
from fechatter.storage.folder import locked_folder
from tests.servers.nats import Nats

Usage = namedtuple("Usage", "total used free")


def test_a_private_data_folder_is_good_and_an_open_one_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    settings = Settings(data_dir=folder)
    assert checks.data_folder(settings).good
    folder.mkdir(mode=0o700)
    assert checks.data_folder(settings).good
    folder.chmod(0o755)
    assert checks.data_folder(settings).remedy == f"chmod 700 {folder}"


def test_a_data_folder_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Root, who runs the suite in containers, may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "Permission denied" in checks.data_folder(Settings(data_dir=tmp_path / "data")).state


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 10, 0))
    assert not checks.disk(Settings(data_dir=tmp_path)).good


def test_a_low_limit_of_open_files_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (256, 1024))
    assert checks.open_files(Settings()).state == "at most 1024: 886 connections"
    assert not checks.open_files(Settings()).good


def test_a_port_in_use_is_named_with_the_setting_that_changes_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        finding = checks_network.port(Settings(port=listener.getsockname()[1], data_dir=tmp_path))
    assert not finding.good
    assert "port" in finding.remedy


def test_a_port_in_use_is_good_when_it_is_this_data_folders_own_server(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = Settings(port=listener.getsockname()[1], data_dir=tmp_path)
        with locked_folder(tmp_path):
            assert checks_network.port(settings).state.endswith("the server of this data folder is running")
            assert checks_network.port(settings).good
        assert not checks_network.port(settings).good


def test_nats_is_asked_where_it_is_named(nats_url: str) -> None:
    assert checks_network.nats(Settings(nats_url=nats_url)).state == "takes connections, with JetStream"
    assert not checks_network.nats(Settings(nats_url="nats://127.0.0.1:1")).good


def test_a_nats_that_lets_anybody_in_is_told(nats_url: str) -> None:
    finding = checks_network.nats_access(Settings(nats_url=nats_url))
    assert (finding.good, "127.0.0.1 accepts anybody") == (False, finding.state)
    assert checks_network.nats_access(Settings()).good


def test_a_nats_with_passwords_is_good_and_carries_the_bus() -> None:
    server = Nats(user="fechatter:secret")
    try:
        server.start()
        settings = Settings(nats_url=server.url)
        assert checks_network.nats_access(settings).good
        assert checks_network.nats(settings).good
    finally:
        server.remove()


def test_a_nats_without_jetstream_is_told() -> None:
    server = Nats(jetstream=False)
    try:
        server.start()
        finding = checks_network.nats(Settings(nats_url=server.url))
    finally:
        server.remove()
    assert (finding.good, finding.remedy) == (False, "Start NATS with --jetstream.")


def test_what_listens_where_nats_should_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_network, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        finding = checks_network.nats(Settings(nats_url=f"nats://127.0.0.1:{listener.getsockname()[1]}"))
    assert "does not let this server in" in finding.state


def test_secrets_that_others_may_read_are_told(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert checks.secrets(settings).good
    open_secrets(settings)
    assert checks.secrets(settings).good
    (tmp_path / "secrets" / "jwt_secret").chmod(0o640)
    assert checks.secrets(settings).remedy == f"chmod 600 {tmp_path / 'secrets' / 'jwt_secret'}"
    (tmp_path / "secrets" / "jwt_secret").chmod(0o600)
    (tmp_path / "fechatter.db").touch(0o644)
    assert "fechatter.db is open to others" in checks.secrets(settings).state


def test_secrets_of_another_user_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_secrets(Settings(data_dir=tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert "belongs to user" in checks.secrets(Settings(data_dir=tmp_path)).state


def test_a_disk_that_syncs_slowly_or_not_at_all_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path)
    assert checks.syncing(settings).good
    monkeypatch.setattr(checks, "sync_seconds", lambda folder: 0.25)
    assert (checks.syncing(settings).good, checks.syncing(settings).state) == (False, "250.0 ms")
    monkeypatch.setattr(checks, "sync_seconds", lambda folder: 1e-6)
    assert "may be memory" in checks.syncing(settings).state
    monkeypatch.undo()

    def refuse(descriptor: int) -> None:
        raise OSError(errno.EINVAL, "cannot sync")

    monkeypatch.setattr(os, "fsync", refuse)
    assert "cannot sync" in checks.syncing(settings).state


def test_a_clock_that_is_wrong_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, now = Settings(data_dir=tmp_path), time.time()
    assert checks.clock(settings).good
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert "before this program was installed" in checks.clock(settings).state
    monkeypatch.setattr(time, "time", lambda: now + 60)
    assert checks.clock(settings).state.startswith("the disk's is -")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(public_url="https://chat.example.org"), "Set trusted_proxies"),
        (Settings(public_url="http://chat.example.org", trusted_proxies=("10.0.0.1",)), "passwords travel readable"),
        (Settings(public_url="https://chat.example.org", trusted_proxies=("0.0.0.0/0",)), "anybody may forge"),
        (Settings(host="0.0.0.0"), "Set public_url"),
    ],
)
def test_a_public_address_that_cannot_be_meant_is_told(settings: Settings, told: str) -> None:
    finding = checks_network.public_address(settings)
    assert not finding.good
    assert told in finding.remedy


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(public_url="http://localhost:6688"),
        Settings(public_url="https://chat.example.org", trusted_proxies=("10.0.0.0/8",)),
        Settings(public_url="https://chat.example.org", tls_certificate=Path("chain"), tls_key=Path("key")),
    ],
)
def test_a_public_address_that_fits_is_good(settings: Settings) -> None:
    assert checks_network.public_address(settings).good


def _certificate(folder: Path, days: float, begun_days_ago: float = 30) -> Settings:
    """A certificate for so many days more."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chat.example.org")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=begun_days_ago))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    unencrypted = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted))
    return Settings(tls_certificate=chain, tls_key=secret)


def test_a_certificate_is_good_until_two_weeks_before_its_end(tmp_path: Path) -> None:
    assert checks_network.certificate(_certificate(tmp_path, 60.5)).state == "valid for 60 days more"
    assert checks_network.certificate(_certificate(tmp_path, 60.5)).good
    assert not checks_network.certificate(_certificate(tmp_path, 10)).good
    assert "expired" in checks_network.certificate(_certificate(tmp_path, -1)).state
    assert "not yet valid" in checks_network.certificate(_certificate(tmp_path, 10, begun_days_ago=-1)).state
    (tmp_path / "key.pem").write_text("no key")
    assert not checks_network.certificate(Settings(tls_certificate=tmp_path / "chain.pem", tls_key=tmp_path / "key.pem")).good


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
    ("wrong", "told"),
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
def test_settings_of_postgres_that_lose_or_refuse_are_told(wrong: dict[str, object], told: str) -> None:
    assert checks_database.judge_postgres(FINE, 10).good
    finding = checks_database.judge_postgres(FINE | wrong, 10)
    assert not finding.good
    assert told in finding.remedy


def test_a_postgres_is_asked_for_its_settings(postgres_url: str) -> None:
    # The tests' own server writes no full pages, which doctor reports.
    remedy = checks_database.database_settings(Settings(database_url=postgres_url)).remedy
    assert remedy.startswith("Set full_page_writes = on")
    assert checks_database.database_clock(Settings(database_url=postgres_url)).good
    assert not checks_database.database_settings(Settings(database_url="postgres://me@127.0.0.1:1/db")).good


def test_a_database_whose_clock_differs_is_told(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    finding = checks_database.database_clock(Settings(database_url=postgres_url))
    assert finding.state.startswith("+36")


def _migrated(folder: Path) -> Settings:
    migrate_sqlite(folder / "fechatter.db")
    return Settings(data_dir=folder)


def test_a_journal_mode_that_keeps_less_is_told(tmp_path: Path) -> None:
    settings = _migrated(tmp_path)
    assert checks_database.database_settings(settings).good
    with closing(sqlite3.connect(tmp_path / "fechatter.db")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    assert "not WAL" in checks_database.database_settings(settings).state


def test_the_checks_of_a_running_server_leave_its_locks_on_the_database(tmp_path: Path) -> None:
    settings = _migrated(tmp_path)
    database = tmp_path / "fechatter.db"
    with closing(open_file(database)) as served:
        served.execute("SELECT COUNT(*) FROM messages").fetchone()
        served.execute("UPDATE server SET epoch = epoch")
        log_findings(settings)
        # Another program deletes the log as it closes the file, unless somebody else holds a lock.
        other = f"import sqlite3, sys; c = sqlite3.connect({str(database)!r}); c.execute('SELECT * FROM server'); c.close()"
        subprocess.run([sys.executable, "-c", other], check=True, timeout=60)
        assert log_file(database, "-wal").exists()


def test_a_damaged_database_file_is_told(tmp_path: Path) -> None:
    settings = _migrated(tmp_path)
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
    settings = _migrated(tmp_path)
    with closing(sqlite3.connect(tmp_path / "fechatter.db")) as connection:
        connection.execute(MANY_MESSAGES)
        connection.commit()
    monkeypatch.setattr(checks_database, "CHECK_SECONDS", 0.0)
    assert "too large for a complete check" in checks_database.integrity(settings).state


def test_messages_from_the_future_are_told(tmp_path: Path) -> None:
    settings = _migrated(tmp_path)
    assert checks_database.database_clock(settings).good
    with closing(sqlite3.connect(tmp_path / "fechatter.db")) as connection:
        columns = "id, chat_id, number, sender_id, content, created_at"
        an_hour_ahead = int(time.time() * 1000) + 3_600_000
        connection.execute(f"INSERT INTO messages ({columns}) VALUES (1, 1, 1, 1, 'x', ?)", (an_hour_ahead,))
        connection.commit()
    assert "in the future" in checks_database.database_clock(settings).state


def test_the_report_is_told_in_json_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FECHATTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FECHATTER_HOST", "0.0.0.0")
    monkeypatch.setenv("FECHATTER_PORT", "0")
    assert main(["doctor", "--json"]) == 1
    told = orjson.loads(capsys.readouterr().out)
    assert told["good"] is False
    wrong = {finding["subject"]: finding["remedy"] for finding in told["findings"] if not finding["good"]}
    assert wrong["public address"] == "Set public_url to the address people use."


@pytest.mark.parametrize(
    ("there", "before", "after", "apart"),
    [
        (100.0, 100.0, 100.0, 0.0),
        (105.0, 100.0, 160.0, 0.0),  # a busy machine took a minute to read the other clock
        (101.5, 100.0, 100.0, 0.0),
        (90.0, 100.0, 160.0, -10.0),
        (170.0, 100.0, 160.0, 10.0),
    ],
)
def test_the_time_that_a_check_takes_is_no_difference_of_two_clocks(there: float, before: float, after: float, apart: float) -> None:
    assert seconds_apart(there, before, after) == apart
