"""`fechatter backup` and `restore`: write all data to one file, and restore it."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from argparse import Namespace
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from fechatter.accounts.administration import command_actor
from fechatter.audit.record import Act, record
from fechatter.backup.making import make
from fechatter.backup.manifest import Manifest
from fechatter.backup.restoring import restore
from fechatter.cli.administration import REFUSED, show_outcome, system_user, with_database
from fechatter.cli.checks_database import pending_migrations
from fechatter.cli.terminal import counted, note, shown_path
from fechatter.errors import StartError, StorageError
from fechatter.model import WorkspaceId
from fechatter.settings import Settings
from fechatter.storage import opening, upkeep
from fechatter.storage.engines.base import Database, Transaction

T = TypeVar("T")

NICENESS = 10
PROGRESS_SECONDS = 0.2


class Progress:
    """One line on a terminal that is updated in place. Without a terminal on standard error, it prints nothing."""

    def __init__(self) -> None:
        self._shown = sys.stderr is not None and sys.stderr.isatty()
        self._next = 0.0

    def __call__(self, what: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if self._shown and (now >= self._next or done == total):
            self._next = now + PROGRESS_SECONDS
            note(f"\r\033[K{what} {done:,}" + ("" if total is None else f" of {total:,}"), end="")

    def end(self) -> None:
        if self._shown:
            note("\r\033[K", end="")


def run_backup(settings: Settings, options: Namespace) -> int:
    """Run the command and return its exit code. Raises StartError."""
    opening.check_there(settings.database_address)
    lower_priority()
    progress, began = Progress(), time.monotonic()
    try:
        manifest = asyncio.run(interruptible(make(settings, options.file, progress)))
    except KeyboardInterrupt:
        note("fechatter: interrupted; no backup was made")
        return REFUSED
    finally:
        progress.end()
    _record(settings, manifest)
    seconds = time.monotonic() - began
    sentence = (
        f"Backed up {_summary(manifest)} as of {manifest.created_at} to {shown_path(options.file)}, {seconds:.1f} s."
    )
    show_outcome(options, _outcome(options.file, manifest, seconds), f"{sentence} Keep the file secret.")
    return 0


def run_restore(settings: Settings, options: Namespace) -> int:
    """Run the command and return its exit code. Raises StartError."""
    progress, began = Progress(), time.monotonic()
    try:
        manifest = asyncio.run(interruptible(restore(settings, options.file, system_user(), progress)))
    except KeyboardInterrupt:
        note("fechatter: interrupted; nothing was restored")
        return REFUSED
    finally:
        progress.end()
    seconds = time.monotonic() - began
    sentence = f"Restored {_summary(manifest)} as of {manifest.created_at}, {seconds:.1f} s."
    show_outcome(options, _outcome(options.file, manifest, seconds), f"{sentence} All people must sign in again.")
    return 0


async def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """Await the work. SIGINT or SIGTERM interrupts it at once; the work then removes its partial result."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    return await work


def _outcome(file: Path, manifest: Manifest, seconds: float) -> dict[str, object]:
    return {
        "file": shown_path(file),
        "bytes": file.stat().st_size,
        "format": manifest.format,
        "engine": manifest.engine,
        "migrations": manifest.migrations,
        "created_at": manifest.created_at,
        "counts": manifest.counts(),
        "files": len(manifest.files),
        "seconds": round(seconds, 3),
    }


def _summary(manifest: Manifest) -> str:
    counts = manifest.counts()
    workspaces, messages = counted(counts["workspaces"], "workspace"), counted(counts["messages"], "message")
    files = f", {counted(len(manifest.files), 'file')}" if manifest.files else ""
    return f"{workspaces}, {counted(counts['users'], 'person', 'people')}, {messages}{files}"


def lower_priority() -> None:
    """Lower the priority of this process, so that a running server gets the processors first."""
    os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def _record(settings: Settings, manifest: Manifest) -> None:
    """Record the backup in the audit log. The backup succeeds even if this fails, for example on a full disk."""
    try:
        if pending_migrations(settings.database_address):
            note("fechatter: the audit log belongs to another version, so the backup was not recorded there")
            return
        asyncio.run(with_database(settings, lambda database: _record_in_each(database, manifest)))
    except (StorageError, StartError, OSError, sqlite3.Error) as error:
        note(f"fechatter: the backup was made, but could not be recorded in the audit log ({error})")


async def _record_in_each(database: Database, manifest: Manifest) -> None:
    for workspace_id in await database.read(upkeep.workspace_ids):
        await _record_in(database, workspace_id, manifest)


async def _record_in(database: Database, workspace_id: WorkspaceId, manifest: Manifest) -> None:
    async def work(tx: Transaction) -> None:
        actor = command_actor(workspace_id, system_user())
        await record(tx, actor, Act.WORKSPACE_BACKED_UP, workspace_id, after={"as_of": manifest.created_at})

    await database.write(workspace_id, work)
