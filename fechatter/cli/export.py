"""`fechatter export`: writes a workspace as lines of JSON to a file or to standard output."""

from __future__ import annotations

import errno
import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fechatter.audit.record import Act, record
from fechatter.cli.administration import administer, change, workspace_of
from fechatter.cli.backups import Progress, lower_priority
from fechatter.cli.terminal import as_json, counted, note
from fechatter.disk.drafts import check_new, draft
from fechatter.errors import StartError
from fechatter.export.writing import write_workspace
from fechatter.model import Actor, Workspace
from fechatter.settings import Settings
from fechatter.storage import opening
from fechatter.storage.engines.base import Database, Transaction

PLURALS = {
    "workspace": "workspaces",
    "person": "people",
    "chat": "chats",
    "membership": "memberships",
    "message": "messages",
}
STANDARD_OUTPUT = Path("-")
UNWRITABLE = {
    errno.EPIPE: "The program that reads the export has ended",
    errno.ENOSPC: "There is no space for the export",
}


def run(settings: Settings, options: Namespace) -> int:
    """Run the command and return its exit code. Raises StartError."""
    lower_priority()
    if options.file != STANDARD_OUTPUT:
        check_new(options.file)
    return administer(settings, options, lambda database: _export(settings, database, options))


async def _export(settings: Settings, database: Database, options: Namespace) -> None:
    workspace, began = await workspace_of(database, options.workspace), time.monotonic()
    await change(database, workspace, lambda tx, actor: _record(tx, actor, workspace))
    progress = Progress()
    try:
        async with opening.open_source(settings.database_address) as source:
            with _output(options.file) as out:
                counts = await write_workspace(source.tx, workspace.id, out.write, progress)
    finally:
        progress.end()
    outcome = {"workspace": workspace.slug, "counts": counts, "seconds": round(time.monotonic() - began, 3)}
    if options.json:
        note(as_json(outcome, sys.stderr))
    else:
        parts = [counted(counts[kind], kind, several) for kind, several in PLURALS.items() if kind in counts]
        note(f"{workspace.slug}: {', '.join(parts)}")


async def _record(tx: Transaction, actor: Actor, workspace: Workspace) -> None:
    """Record the export before it starts, because even an interrupted export has written data."""
    await record(tx, actor, Act.WORKSPACE_EXPORTED, workspace.id)


@contextmanager
def _output(file: Path) -> Iterator[IO[bytes]]:
    if file == STANDARD_OUTPUT:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except OSError as error:
            if error.errno not in UNWRITABLE:
                raise  # reading failed, not writing
            # Otherwise the interpreter would report the error again at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise StartError(f"{UNWRITABLE[error.errno]}; the export is incomplete.") from error
    else:
        with draft(file) as out:
            yield out
