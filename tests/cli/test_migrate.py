"""`fechatter migrate`, and the doctor's report about migrations."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fechatter.cli import main


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The engine whose empty database the environment names."""
    monkeypatch.setenv("FECHATTER_DATA_DIR", str(tmp_path / "data"))
    if request.param == "postgres":
        monkeypatch.setenv("FECHATTER_DATABASE_URL", request.getfixturevalue("postgres_url"))
    return str(request.param)


@pytest.mark.usefixtures("database")
def test_migrate_applies_missing_migrations_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out.startswith("applied 0001_")
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == "The database is up to date.\n"


@pytest.mark.usefixtures("database")
def test_the_doctor_reports_missing_migrations(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    assert "migrations to apply at the next start" in capsys.readouterr().out
    main(["migrate"])
    main(["doctor"])
    assert "up to date" in capsys.readouterr().out


def test_a_foreign_database_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    monkeypatch.setenv("FECHATTER_DATABASE_URL", f"sqlite://{path}")
    assert main(["migrate"]) == 1
    assert "contains tables of another program" in capsys.readouterr().err


def test_the_doctor_reports_an_unreachable_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FECHATTER_DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/db")
    assert main(["doctor"]) == 1
    report = capsys.readouterr().out
    assert "WRONG database: the database cannot be reached" in report
    assert "hunter2" not in report
