"""A server in which one method raises, so that its task fails.

`python -m tests.journeys.dying MODULE:CLASS.METHOD serve` starts it.
"""

from __future__ import annotations

import sys
from importlib import import_module

from fechatter.cli import main


async def _fail(*_: object) -> None:
    raise RuntimeError("made to fail")


if __name__ == "__main__":
    module, _, place = sys.argv.pop(1).partition(":")
    owner, _, method = place.partition(".")
    setattr(getattr(import_module(module), owner), method, _fail)
    sys.exit(main())
