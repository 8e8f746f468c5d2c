"""Describes the machine: figures of different machines are not comparable."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from fechatter import __version__

SHARED = "server, database and load generator share the machine; loopback"


def machine() -> str:
    """Return processors, memory, system, Python and version in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_version()}; {os.cpu_count()} processors, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}"
    )


def _version() -> str:
    """Return the commit in a checkout, otherwise the version."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return f"version {__version__}"
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return f"version {__version__}"
    return f"commit {found}"
