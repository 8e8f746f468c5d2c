"""Moves the write-ahead log into the database file on a separate thread, so that no commit waits for it.

A passive checkpoint never blocks the writer. Under constant load, however, it never reaches the end of the log, which
would grow without limit. So after most of the log is moved, the writer moves the small rest between two batches, and
the log starts over. A checkpoint that fails, for example on a full disk, is retried until it succeeds.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from fechatter.loops import LoopState
from fechatter.storage.engines.sqlite_open import open_file
from fechatter.storage.engines.thread import LoopThread

CHECKPOINT_BYTES = 16 * 1024 * 1024
KEPT_BYTES = 4 * 1024 * 1024
"""The log file is truncated to this size when it starts over, so that its size shows how much is not moved yet."""
OVERGROWN_BYTES = 4 * CHECKPOINT_BYTES
"""The log reaches this size only while checkpoints fail. It is then truncated as soon as nobody reads from it."""
LOOK_EVERY_SECONDS = 0.2
MAX_PAUSE_SECONDS = 5.0


class Checkpointer:
    """The thread that moves the log. It starts with the object.

    Attributes:
        state: the result of the last checkpoint.
    """

    def __init__(self, path: Path, write_connection: sqlite3.Connection, writer: LoopThread) -> None:
        self.state = LoopState("checkpoints")
        self._path = path
        self._wal = Path(f"{path}-wal")
        self._write_connection = write_connection
        self._writer = writer
        self._connection = open_file(path)
        self._stopped = threading.Event()
        write_connection.execute(f"PRAGMA journal_size_limit={KEPT_BYTES}")
        self._thread = threading.Thread(target=self._run, name="checkpointer", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(self.state.pause_seconds(LOOK_EVERY_SECONDS, MAX_PAUSE_SECONDS)):
            try:
                if self._wal_bytes() >= CHECKPOINT_BYTES:
                    self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                    self._writer.run_soon(self._finish)
                elif self.state.reason:
                    self.state.succeeded()
            except (sqlite3.Error, OSError, MemoryError) as error:
                self.state.failed(error)
        self._connection.close()

    def _wal_bytes(self) -> int:
        try:
            return self._wal.stat().st_size
        except FileNotFoundError:
            return 0

    def _finish(self) -> None:
        # RESTART would wait for readers. If PASSIVE moves the whole log, the next commit starts it over.
        try:
            self._write_connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            if self._wal_bytes() >= OVERGROWN_BYTES:
                self._cut()
        except (sqlite3.Error, OSError, MemoryError) as error:
            self.state.failed(error)
        else:
            self.state.succeeded()

    def _cut(self) -> None:
        """Empty the log unless somebody reads from it. Raises sqlite3.Error."""
        ((waits_ms,),) = self._write_connection.execute("PRAGMA busy_timeout").fetchall()
        self._write_connection.execute("PRAGMA busy_timeout=0")
        try:
            self._write_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._write_connection.execute(f"PRAGMA busy_timeout={waits_ms}")

    def stop(self) -> None:
        """Stop the thread, and wait up to five seconds for its end."""
        self._stopped.set()
        self._thread.join(5)
