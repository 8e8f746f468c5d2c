"""The socket between the gateway and Granian is reachable by this user only, and survives a kill."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from fechatter.errors import StartError
from fechatter.gateway.private_socket import private_socket


def test_only_this_user_can_enter_the_folder_of_the_socket(tmp_path: Path) -> None:
    with private_socket(tmp_path) as held:
        path = Path(held.getsockname())
        assert path.is_socket()
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.parent.exists()


def test_the_socket_of_a_killed_server_is_replaced(tmp_path: Path) -> None:
    killed = private_socket(tmp_path)
    killed.__enter__()
    with private_socket(tmp_path) as held:
        assert Path(held.getsockname()).is_socket()


def test_a_long_data_folder_gets_a_socket_in_a_temporary_folder(tmp_path: Path) -> None:
    long = tmp_path / ("a" * 100)
    long.mkdir()
    with private_socket(long) as held:
        path = Path(held.getsockname())
        assert len(bytes(path)) <= 107
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.parent.exists()


def test_a_folder_that_cannot_be_written_is_a_start_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(StartError, match=r"run/app\.sock cannot be created"):
        with private_socket(tmp_path):
            pass
