"""The server's secrets in the data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from fechatter.auth.secrets import open_secrets
from fechatter.errors import StartError
from fechatter.settings import Settings


def test_secrets_are_created_once_and_readable_only_by_their_owner(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    first = open_secrets(settings)
    assert open_secrets(settings) == first
    folder = tmp_path / "data" / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "jwt_secret": 0o600,
        "setup_token": 0o600,
    }
    assert len(first.signing) >= 32
    assert first.is_setup_token(first.setup_token)
    assert not first.is_setup_token(first.setup_token[:-1] + "é")
    assert first.setup_token not in repr(first)


def test_a_secret_from_the_settings_is_used(tmp_path: Path) -> None:
    assert open_secrets(Settings(data_dir=tmp_path, jwt_secret="k" * 40)).signing == b"k" * 40
    assert not (tmp_path / "secrets" / "jwt_secret").exists()


def test_a_damaged_secret_stops_the_start(tmp_path: Path) -> None:
    open_secrets(Settings(data_dir=tmp_path))
    (tmp_path / "secrets" / "jwt_secret").write_text("short")
    with pytest.raises(StartError, match="jwt_secret"):
        open_secrets(Settings(data_dir=tmp_path))
