"""SECURITY.md shows the table of rights as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_the_printed_table_is_current() -> None:
    shown = subprocess.run([sys.executable, "scripts/rights.py", "--check"], cwd=CHECKOUT, timeout=60, check=False)
    assert shown.returncode == 0, "run: make rights"
