"""Output never fails a command that has done its work, and input is read as UTF-8."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from fechatter.cli import main, terminal
from fechatter.errors import Invalid

PASSWORD = b"correct horse battery\n"
ADA = ["workspaces", "create", "Ours", "--email", "ada@example.org", "--fullname", "Ada"]


class Shell:
    """Runs the real command on one database."""

    def __init__(self, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FECHATTER_")}
        self.environ = {**kept, "FECHATTER_DATA_DIR": str(folder), "PYTHONWARNINGS": "error"}

    def run(
        self, *arguments: str | bytes, stdout: int = subprocess.PIPE, stdin: bytes = PASSWORD, encoding: str = "utf-8"
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "fechatter", *arguments],
            input=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env={**self.environ, "PYTHONIOENCODING": encoding},
            check=False,
            timeout=60,
        )

    def names(self) -> set[str]:
        listed = self.run("users", "list", "--json")
        return {person["fullname"] for person in orjson.loads(listed.stdout)["items"]}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path / "data")
    os.environ.pop("FECHATTER_DATABASE_URL", None)
    assert made.run("migrate").returncode == 0
    assert made.run(*ADA).returncode == 0
    return made


def test_characters_that_an_encoding_lacks_are_escaped(shell: Shell) -> None:
    done = shell.run("users", "create", "li@example.org", "--fullname", "李雷", encoding="latin-1")
    assert (done.returncode, done.stderr) == (0, b"")
    shown = shell.run("users", "create", "x@example.org", "--fullname", "😀 é", "--json", encoding="latin-1")
    assert shown.returncode == 0
    assert orjson.loads(shown.stdout)["fullname"] == "😀 é"
    assert b"\\u674e\\u96f7" in shell.run("users", "list", encoding="ascii").stdout
    assert shell.names() == {"Ada", "李雷", "😀 é"}
    assert shell.run("doctor", encoding="ascii").returncode in (0, 1)


def test_a_full_disk_does_not_fail_a_command_that_has_done_its_work(shell: Shell, tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        created = shell.run("users", "create", "bo@example.org", "--fullname", "Bo", stdout=full)
        assert created.returncode == 0
        assert (
            b"the command succeeded, but standard output cannot be written (No space left on device)" in created.stderr
        )
        assert shell.run("migrate", stdout=full).returncode == 0
        assert shell.run("backup", str(tmp_path / "backup"), stdout=full).returncode == 0
        assert (tmp_path / "backup").exists()
        listed = shell.run("users", "list", stdout=full)
        assert (listed.returncode, listed.stderr) == (
            1,
            b"fechatter: standard output cannot be written (No space left on device)\n",
        )
    finally:
        os.close(full)
    assert shell.names() == {"Ada", "Bo"}


def test_a_closed_pipe_does_not_fail_a_command_that_has_done_its_work(shell: Shell) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert shell.run("workspaces", "rename", "Theirs", stdout=writer).returncode == 0
        assert shell.run("users", "reset-password", "ada", stdout=writer).returncode == 0
        shown = shell.run("config", "show", stdout=writer)
        assert (shown.returncode, shown.stderr) == (1, b"")
    finally:
        os.close(writer)


def test_an_argument_that_is_not_utf_8_is_reported_and_changes_nothing(shell: Shell) -> None:
    refused = shell.run("users", "create", "bo@example.org", "--fullname", b"Bo \xff")
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert refused.stderr == b"fechatter: fullname: 'Bo \\\\xff' is not UTF-8\n"
    assert shell.run("users", "disable", b"\xe9").returncode == 2
    assert shell.names() == {"Ada"}
    backup = shell.run("backup", os.fsencode(shell.environ["FECHATTER_DATA_DIR"]) + b"\xff", "--json")
    assert (backup.returncode, orjson.loads(backup.stdout)["file"][-4:]) == (0, "\\xff")


def fake_input(data: bytes, encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding=encoding)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("pässword".encode(), "pässword"),
        (b"\xef\xbb\xbf" + "pässword\r\n".encode(), "pässword"),
        (b"one\ntwo\n", "one"),
        (b"\n", ""),
        (b" spaced \r\n", " spaced "),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_a_line_is_read_as_utf_8_in_every_locale(
    monkeypatch: pytest.MonkeyPatch, data: bytes, line: str, encoding: str
) -> None:
    monkeypatch.setattr("sys.stdin", fake_input(data, encoding))
    assert terminal.read_line() == line


@pytest.mark.parametrize(
    "data", ["pässword\n".encode("latin-1"), "password\n".encode("utf-16"), "password\n".encode("utf-16-le")]
)
def test_a_line_in_another_encoding_is_refused(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", fake_input(data))
    with pytest.raises(Invalid, match="save it as UTF-8"):
        terminal.read_line()


@pytest.mark.parametrize(
    ("mark", "encoding", "reason"),
    [
        (b"\xef\xbb\xbf", "utf-8", None),
        (b"", "utf-16", "it is encoded as UTF-16; save it as UTF-8"),
        (b"", "utf-16-be", "it contains zero bytes; save it as UTF-8 text"),
        (b"", "latin-1", "it is not UTF-8 (byte 0xe9 at offset 8); save it as UTF-8"),
    ],
)
def test_a_settings_file_may_begin_with_a_byte_order_mark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mark: bytes, encoding: str, reason: str | None
) -> None:
    path = tmp_path / "chat.toml"
    path.write_bytes(mark + 'name = "é"\r\n'.encode(encoding))
    assert main(["config", "check", "--config", str(path)]) == (0 if reason is None else 2)
    if reason is not None:
        assert capsys.readouterr().err == f"fechatter: {path}: is not TOML: {reason}\n"


def test_a_variable_that_is_not_utf_8_is_refused(shell: Shell) -> None:
    shell.environ["FECHATTER_NAME"] = os.fsdecode(b"Bo \xff")
    refused = shell.run("config", "check")
    assert (refused.returncode, refused.stderr) == (2, b"fechatter: FECHATTER_NAME: is not UTF-8\n")


def test_a_count_has_a_noun_in_the_singular_or_plural() -> None:
    assert [terminal.counted(number, "chat") for number in (0, 1, 2000)] == ["0 chats", "1 chat", "2,000 chats"]
    assert [terminal.counted(number, "person", "people") for number in (1, 2)] == ["1 person", "2 people"]
