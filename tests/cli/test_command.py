"""The `fechatter` command: options, settings and exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fechatter import __version__
from fechatter.cli import main


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("FECHATTER_") or name in {"HOST", "PORT", "DATABASE_URL", "NATS_URL", "JWT_SECRET"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("FECHATTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FECHATTER_PORT", "0")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"fechatter {__version__}\n"


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dance"])
    assert ended.value.code == 2
    assert "invalid choice: 'dance'" in capsys.readouterr().err


def test_an_invalid_setting_stops_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FECHATTER_PORT", "no")
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == "fechatter: FECHATTER_PORT: must be a whole number from 0 to 65535\n"


def test_every_invalid_setting_has_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FECHATTER_PORT", "no")
    monkeypatch.setenv("FECHATTER_SIGNUP", "no")
    assert main(["config", "check"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[:2] for line in lines] == [
        ["fechatter", " FECHATTER_PORT"],
        ["fechatter", " FECHATTER_SIGNUP"],
    ]


def test_the_config_option_may_precede_or_follow_the_command(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("nonsense = 1")
    assert main(["--config", str(path), "config", "check"]) == 2
    assert main(["config", "check", "--config", str(path)]) == 2
    path.write_text("session_days = 1")
    assert main(["config", "check", "--config", str(path)]) == 0


def test_settings_are_shown_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show"]) == 0
    lines = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert lines["port"] == ["0", "environment", "FECHATTER_PORT"]
    assert lines["session_days"] == ["30", "default"]


def test_the_check_lists_settings_without_effect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1")
    assert main(["config", "check"]) == 0
    assert "no effect in this version: redis_url" in capsys.readouterr().out


def test_the_documentation_of_settings_works_with_invalid_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FECHATTER_PORT", "no")
    assert main(["config", "docs"]) == 0
    output = capsys.readouterr().out
    assert "| `port` | `FECHATTER_PORT`, `PORT` | a whole number from 0 to 65535 | `6688` |" in output
    assert "`REDIS_URL`" in output
    assert "`roles`" not in output


def test_the_command_imports_no_large_library_at_its_start() -> None:
    code = "import sys, fechatter.cli; print({'numpy', 'asyncpg', 'starlette', 'granian'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "set()\n"


def test_the_checks_of_a_sqlite_database_do_not_load_the_driver_of_postgresql(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from fechatter.settings import Settings;"
        "from fechatter.cli.doctor import log_findings;"
        f"log_findings(Settings(data_dir=Path({str(tmp_path)!r}))); print('asyncpg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.endswith("False\n")


def test_closed_standard_streams_are_not_reused_for_files() -> None:
    script = """
import sys
from fechatter.cli import open_standard_streams
open_standard_streams()
sys.exit(open(sys.executable).fileno() if sys.stderr else 1)"""
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", script], check=False, timeout=60
    )
    assert closed.returncode == 3
