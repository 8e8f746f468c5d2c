"""Progress is printed on terminals only."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fechatter.backup.archive import Packer
from fechatter.cli import main
from fechatter.cli.backups import Progress
from tests.journeys.server import ROOT


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal_and_is_erased_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = FakeTerminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = Progress()
    for done in range(0, 10_001, 1000):
        progress("messages", done, 10_000)
    progress.end()
    assert terminal.getvalue().count("\n") == 0
    assert terminal.getvalue().startswith("\r\033[Kmessages 0 of 10,000")
    assert terminal.getvalue().endswith("\r\033[Kmessages 10,000 of 10,000\r\033[K")


def test_no_progress_is_written_to_files(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    progress = Progress()
    progress("messages", 1, 1)
    progress.end()
    assert written.getvalue() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_aborts_a_backup_and_leaves_no_file(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FECHATTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(os, "setpriority", lambda *_: None)
    assert main(["migrate"]) == 0
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(Packer, "finish", lambda *_: os.kill(os.getpid(), number))
    try:
        assert main(["backup", str(tmp_path / "backup")]) == 1
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert "no backup was made" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_an_export_without_a_reader_or_disk_space_is_reported_as_incomplete(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "FECHATTER_DATA_DIR": str(tmp_path / "data")}
    owner = ["--email", "ada@example.org", "--fullname", "Ada"]
    for command in (["migrate"], ["workspaces", "create", "Engines", *owner]):
        subprocess.run(
            [sys.executable, "-m", "fechatter", *command],
            input=b"correct horse battery",
            env=environment,
            check=True,
            timeout=60,
        )
    reading, writing = os.pipe()
    os.close(reading)
    export = [sys.executable, "-m", "fechatter", "export", "-"]
    done = subprocess.run(export, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (
        1,
        b"fechatter: The program that reads the export has ended; the export is incomplete.\n",
    )
    with open("/dev/full", "wb") as full:
        done = subprocess.run(export, stdout=full, stderr=subprocess.PIPE, env=environment, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (
        1,
        b"fechatter: There is no space for the export; the export is incomplete.\n",
    )
