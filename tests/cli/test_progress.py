"""Progress is for people at a terminal."""

import io

import pytest

from fechatter.cli.keeping import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = Progress()
    for done in range(0, 10_001, 1000):
        progress("messages", done, 10_000)
    progress.end()
    assert terminal.getvalue().count("\n") == 0
    assert terminal.getvalue().startswith("\r\033[Kmessages 0 of 10,000")
    assert terminal.getvalue().endswith("\r\033[Kmessages 10,000 of 10,000\r\033[K")


def test_a_log_file_gets_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    progress = Progress()
    progress("messages", 1, 1)
    progress.end()
    assert written.getvalue() == ""
