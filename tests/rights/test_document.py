"""SECURITY.md contains the current table of rights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_the_documented_table_is_current() -> None:
    shown = subprocess.run([sys.executable, "scripts/rights.py", "--check"], cwd=CHECKOUT, timeout=60, check=False)
    assert shown.returncode == 0, "run: make rights"
