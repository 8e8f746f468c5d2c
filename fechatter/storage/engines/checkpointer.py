"""Moves the write-ahead log into the database file on a thread of its own, so that no commit waits for it.

A passive checkpoint never blocks the writer, but under constant load it never sees the log's end either, and the log would grow
for ever: once the bulk is moved, the writer itself moves the small rest between two batches, after which the log starts over.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

from fechatter.storage.engines.sqlite_open import open_file
from fechatter.storage.engines.thread import LoopThread

log = logging.getLogger(__name__)

CHECKPOINT_BYTES = 16 * 1024 * 1024
KEPT_BYTES = 4 * 1024 * 1024
"""The log file is cut to this when it starts over, so that its size tells how much waits."""
LOOK_EVERY_SECONDS = 0.2


class Checkpointer:
    def __init__(self, path: Path, write_connection: sqlite3.Connection, writer: LoopThread) -> None:
        self._path = path
        self._wal = Path(f"{path}-wal")
        self._write_connection = write_connection
        self._writer = writer
        self._stopped = threading.Event()
        write_connection.execute(f"PRAGMA journal_size_limit={KEPT_BYTES}")
        self._thread = threading.Thread(target=self._run, name="checkpointer", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        connection = open_file(self._path)
        try:
            while not self._stopped.wait(LOOK_EVERY_SECONDS):
                if self._wal_bytes() >= CHECKPOINT_BYTES:
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                    self._writer.run_soon(self._finish)
        except sqlite3.Error:
            # The log only grows meanwhile; SQLite moves it at the next start.
            log.exception("checkpoint failed")
        finally:
            connection.close()

    def _wal_bytes(self) -> int:
        try:
            return self._wal.stat().st_size
        except FileNotFoundError:
            return 0

    def _finish(self) -> None:
        # RESTART would wait for readers; PASSIVE moves what it can, and the next commit starts the log over if that was all.
        try:
            self._write_connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error:
            log.exception("checkpoint failed")

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(5)
