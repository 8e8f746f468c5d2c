"""Doctor's checks of the data folder, the disk, secrets, clocks and limits."""

import errno
import os
import resource
import shutil
import time
from collections import namedtuple
from pathlib import Path

import orjson
import pytest

from fechatter.auth.secrets import open_secrets
from fechatter.cli import checks, main
from fechatter.settings import Settings

Usage = namedtuple("Usage", "total used free")


def test_a_private_data_folder_is_good_and_an_open_one_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    settings = Settings(data_dir=folder)
    assert checks.data_folder(settings).good
    folder.mkdir(mode=0o700)
    assert checks.data_folder(settings).good
    folder.chmod(0o755)
    assert checks.data_folder(settings).remedy == f"chmod 700 {folder}"


def test_an_unwritable_data_folder_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The tests may run as root, who can write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "Permission denied" in checks.data_folder(Settings(data_dir=tmp_path / "data")).state


def test_a_full_disk_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 10, 0))
    assert not checks.disk(Settings(data_dir=tmp_path)).good


def test_a_low_limit_of_open_files_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (256, 1024))
    assert checks.open_files(Settings()).state == "at most 1024, for 886 connections"
    assert not checks.open_files(Settings()).good


def test_secrets_that_others_can_read_are_reported(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert checks.secrets(settings) == ("secrets", True, "none yet", "")
    open_secrets(settings)
    assert checks.secrets(settings) == ("secrets", True, "readable only by their owner", "")
    (tmp_path / "secrets" / "jwt_secret").chmod(0o640)
    assert checks.secrets(settings).remedy == f"chmod 600 {tmp_path / 'secrets' / 'jwt_secret'}"
    (tmp_path / "secrets" / "jwt_secret").chmod(0o600)
    (tmp_path / "fechatter.db").touch(0o644)
    assert f"other users can read {settings.data_dir / 'fechatter.db'}" in checks.secrets(settings).state


def test_secrets_of_another_user_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, owner = Settings(data_dir=tmp_path), tmp_path.stat().st_uid
    open_secrets(settings)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    found = checks.secrets(settings)
    assert (found.state, found.remedy) == (f"{tmp_path} belongs to user {owner}", "Run the command as that user.")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert checks.secrets(settings).good


def test_a_secret_whose_owner_differs_from_that_of_the_data_folder_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, owner = Settings(data_dir=tmp_path), tmp_path.stat().st_uid
    open_secrets(settings)
    of_another, stat = tmp_path / "secrets" / "jwt_secret", Path.stat

    def with_another_owner(path: Path, **options: bool) -> os.stat_result:
        found = stat(path, **options)
        return os.stat_result((*found[:4], owner + 1, *found[5:10])) if path == of_another else found

    monkeypatch.setattr(Path, "stat", with_another_owner)
    found = checks.secrets(settings)
    assert (found.good, found.remedy) == (False, f"As root: chown {owner} {of_another}")
    assert found.state == f"{of_another} belongs to user {owner + 1}, its folder to {owner}"


def test_a_disk_that_syncs_slowly_or_not_at_all_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_wrong_clock_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, now = Settings(data_dir=tmp_path), time.time()
    assert checks.clock(settings).good
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert "before this program was installed" in checks.clock(settings).state
    monkeypatch.setattr(time, "time", lambda: now + 60)
    assert checks.clock(settings).state.startswith("the disk's clock differs by -")


def test_the_report_is_available_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FECHATTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FECHATTER_HOST", "0.0.0.0")
    monkeypatch.setenv("FECHATTER_PORT", "0")
    assert main(["doctor", "--json"]) == 1
    report = orjson.loads(capsys.readouterr().out)
    assert report["good"] is False
    wrong = {finding["subject"]: finding["remedy"] for finding in report["findings"] if not finding["good"]}
    assert wrong["public address"] == "Set public_url to the URL that people use."
