"""Files that appear complete or not at all. Drafts of dead processes are removed, drafts of running ones stay."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fechatter.disk import drafts
from fechatter.errors import StartError

_WRITER = """
import sys
from pathlib import Path
from fechatter.disk.drafts import draft
with draft(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("begun", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in the middle of a draft. It ends when its input ends."""
    command = [sys.executable, "-c", _WRITER, str(tmp_path / "theirs")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _write(path: Path) -> None:
    with drafts.draft(path) as file:
        file.write(b"whole")


def test_the_next_draft_removes_the_draft_of_a_killed_process(writer: subprocess.Popen[bytes], tmp_path: Path) -> None:
    writer.kill()
    writer.wait()
    assert len(list(tmp_path.glob(".*.part"))) == 1
    _write(tmp_path / "ours")
    assert os.listdir(tmp_path) == ["ours"]


def test_the_draft_of_a_running_process_stays(writer: subprocess.Popen[bytes], tmp_path: Path) -> None:
    _write(tmp_path / "ours")
    writer.communicate(b"\n")
    assert writer.returncode == 0
    assert (tmp_path / "theirs").read_bytes() == b"half"
    assert sorted(os.listdir(tmp_path)) == ["ours", "theirs"]


def test_equal_process_ids_do_not_conflict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with drafts.draft(tmp_path / "outer") as outer:
        outer.write(b"outer")
        _write(tmp_path / "inner")
    assert (tmp_path / "outer").read_bytes() == b"outer"
    assert sorted(os.listdir(tmp_path)) == ["inner", "outer"]


def test_without_file_locks_drafts_are_written_and_never_removed_as_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, how: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(drafts.fcntl, "flock", refuse)
    with drafts.draft(tmp_path / "outer") as outer:
        outer.write(b"outer")
        _write(tmp_path / "inner")
    assert sorted(os.listdir(tmp_path)) == ["inner", "outer"]


def test_unrelated_files_stay(tmp_path: Path) -> None:
    others = ["notes.part", ".7.part", ".fechatter-notes", "fechatter.db"]
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / ".fechatter-0.part").symlink_to(tmp_path / "fechatter.db")
    _write(tmp_path / "ours")
    assert set(os.listdir(tmp_path)) == {*others, ".fechatter-0.part", "ours"}


def test_a_name_of_maximum_length_is_written(tmp_path: Path) -> None:
    _write(tmp_path / ("n" * 255))
    assert os.listdir(tmp_path) == ["n" * 255]


def test_file_and_folder_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        os,
        "fsync",
        lambda descriptor: (
            synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))),
            real(descriptor),
        ),
    )
    _write(tmp_path / "ours")
    assert [name.startswith(drafts.PREFIX) for name in synced] == [True, False]
    assert synced[1] == tmp_path.name


def _write_late(path: Path) -> None:
    with drafts.draft(path) as file:
        file.write(b"half")
        path.write_text("mine")


def test_existing_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("mine")
    with pytest.raises(StartError, match="already exists"):
        _write(tmp_path / "ours")
    with pytest.raises(StartError, match="already exists"):
        _write_late(tmp_path / "late")
    assert [(tmp_path / name).read_text() for name in ("late", "ours")] == ["mine", "mine"]
