"""A server with a test build of the native extension, which can panic at named places.

`python -m tests.gateway.panicking EXTENSION serve` starts it.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location

NAME = "fechatter._native"


def load(path: str) -> None:
    """Load the extension instead of the one in the package."""
    spec = spec_from_file_location(NAME, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[NAME] = module = module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == "__main__":
    load(sys.argv.pop(1))
    from fechatter.cli import main

    sys.exit(main())
