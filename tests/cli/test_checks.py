import os
import resource
import shutil
import socket
from collections import namedtuple
from pathlib import Path

import pytest

from fechatter.cli import checks
from fechatter.settings import Settings
from fechatter.storage.folder import locked_folder

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
    assert "cannot be written" in checks.data_folder(Settings(data_dir=tmp_path / "data")).state


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 10, 0))
    assert not checks.disk(Settings(data_dir=tmp_path)).good


def test_a_low_limit_of_open_files_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (256, 1024))
    assert checks.open_files(Settings()).state == "at most 1024"
    assert not checks.open_files(Settings()).good


def test_a_port_in_use_is_named_with_the_setting_that_changes_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        finding = checks.port(Settings(port=listener.getsockname()[1], data_dir=tmp_path))
    assert not finding.good
    assert "port" in finding.remedy


def test_a_port_in_use_is_good_when_it_is_this_data_folders_own_server(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = Settings(port=listener.getsockname()[1], data_dir=tmp_path)
        with locked_folder(tmp_path):
            assert checks.port(settings).state.endswith("the server of this data folder is running")
            assert checks.port(settings).good
        assert not checks.port(settings).good


def test_nats_is_asked_where_it_is_named(nats_url: str) -> None:
    assert checks.nats(Settings(nats_url=nats_url)).good
    assert not checks.nats(Settings(nats_url="nats://127.0.0.1:1")).good
