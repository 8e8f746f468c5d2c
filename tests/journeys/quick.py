"""A server with very cheap password hashes, because journeys create many people.

`python -m tests.journeys.quick serve` starts it.
"""

from __future__ import annotations

import sys

from fechatter.auth import passwords
from fechatter.cli import main
from tests.hashing import QUICK

if __name__ == "__main__":
    passwords.HASHER = QUICK
    sys.exit(main())
