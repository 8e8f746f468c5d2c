"""A reader of a file that replaced an open database does not destroy that database's log.

SQLite finds the log by its path. The last connection that can write moves the log into the file that it opened, and
deletes it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from fechatter.storage.engines.sqlite import connect, connect_reader
from fechatter.storage.engines.sqlite_open import copy_database, open_reader

Reader = Callable[[Path], AbstractContextManager[sqlite3.Connection]]


def _server_reader(path: Path) -> closing[sqlite3.Connection]:
    """Open a connection as a server does for its readers."""
    return closing(connect_reader(path))


@pytest.mark.parametrize("reader", [open_reader, _server_reader])
@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_reader_of_the_replaced_file_leaves_everything_to_the_rescue(
    tmp_path: Path, reader: Reader, mode: str
) -> None:
    path, rescued = tmp_path / "fechatter.db", tmp_path / "rescued"
    path.touch()
    rescued.touch()
    with closing(connect(path)) as writer:
        writer.execute("CREATE TABLE stored (x)")
        writer.execute("INSERT INTO stored VALUES (1)")
        with closing(sqlite3.connect(tmp_path / "other")) as other:
            other.execute(f"PRAGMA journal_mode={mode}")
            other.execute("CREATE TABLE other (x)")
        (tmp_path / "other").rename(path)
        before = path.read_bytes()
        with reader(path) as connection:
            connection.execute("SELECT name FROM sqlite_master").fetchall()
        assert path.read_bytes() == before
        copy_database(writer, rescued)
    with closing(sqlite3.connect(rescued)) as found:
        assert found.execute("SELECT x FROM stored").fetchall() == [(1,)]
