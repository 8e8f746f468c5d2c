"""Files that an interrupted restore or a rescue left beside an SQLite database.

The server does not start until the operator has dealt with them.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from fechatter.disk.troubles import check_exists, trouble
from fechatter.errors import StartError
from fechatter.storage.engines.sqlite_files import rescued


def restore_draft(path: Path) -> Path:
    """Return the file in which the database `path` is restored; it is renamed to `path` when it is complete."""
    return path.with_name(f"{path.name}.restoring")


def check_no_remains(path: Path) -> None:
    """Raises StartError: a restore was interrupted, or a rescued copy of the database must be put back first."""
    try:
        check_exists(path)
        interrupted, saved = restore_draft(path).exists(), rescued(path)
    except OSError as error:
        raise StartError(trouble(error, path)) from error
    if interrupted:
        raise StartError(f"A restore was interrupted: run `fechatter restore` again, or remove {restore_draft(path)}.")
    if saved:
        raise StartError(
            f"{saved[-1]} is the database that the server saved when its file was deleted or replaced. "
            f"Put it back with `mv {shlex.quote(str(saved[-1]))} {shlex.quote(str(path))}`, or move it elsewhere."
        )
