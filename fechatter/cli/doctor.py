"""`fechatter doctor`: checks the installation and prints each problem with its remedy."""

import logging
import sqlite3
from collections.abc import Callable

from fechatter.cli import checks
from fechatter.cli.findings import Finding, unusable
from fechatter.cli.terminal import as_json, show
from fechatter.errors import StorageError
from fechatter.settings import Settings

log = logging.getLogger(__name__)

MARKS = {True: "ok    ", False: "WRONG "}


def log_findings(settings: Settings) -> None:
    """Log the problems that `doctor` finds at a running server."""
    for check in checks.ALL:
        if check not in checks.NOT_WHILE_SERVING:
            finding = _finding(check, settings)
            if not finding.good:
                log.warning("doctor: %s: %s. %s", finding.subject, finding.state, finding.remedy)


def doctor(settings: Settings, *, json: bool = False) -> int:
    """Print every finding; return 1 if there is a problem."""
    findings = [_finding(check, settings) for check in checks.ALL]
    good = all(finding.good for finding in findings)
    if json:
        rows = [finding._asdict() | ({"remedy": ""} if finding.good else {}) for finding in findings]
        show(as_json({"good": good, "findings": rows, "unused_settings": settings.unused()}))
        return 0 if good else 1
    for finding in findings:
        show(f"{MARKS[finding.good]}{finding.subject}: {finding.state}")
        if not finding.good:
            show(f"      → {finding.remedy}")
    if settings.unused():
        show(f"note  these settings have no effect in this version: {', '.join(settings.unused())}")
    return 0 if good else 1


def _finding(check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    """Run the check; a file, disk or database that cannot be read is reported as a finding too."""
    subject = check.__name__.replace("_", " ")
    try:
        return check(settings)
    except (OSError, sqlite3.Error) as error:
        return unusable(subject, error, settings.data_dir)
    except StorageError as error:
        return Finding(subject, False, str(error), "Restore the tables from a backup, or undo what changed them.")
