"""How an error is told in the log: what it is and where it came from, never the values that somebody sent.

Our own errors and the interpreter's hold none. A database driver's may: PostgreSQL repeats the row in its DETAIL, and asyncpg the argument.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator

MOST_IN_CHAIN = 8
MOST_CHARACTERS = 1_000
_QUOTING = ("22", "P0001")
"""The SQLSTATEs whose messages may quote a value: data exceptions and errors that a trigger raises."""


def told(error: BaseException) -> str:
    """The error's type and, where it holds no data, its words."""
    kind, text = type(error).__name__, _words(error)[:MOST_CHARACTERS]
    return f"{kind}: {text}" if text else kind


def _words(error: BaseException) -> str:
    if not any(kind.__module__.startswith("asyncpg") for kind in type(error).__mro__):
        return str(error)
    state = getattr(error, "sqlstate", None) or ""
    if isinstance(error, ValueError) or state.startswith(_QUOTING) or not error.args:
        return state
    return f"{error.args[0]} {state}".rstrip()


def trace(error: BaseException) -> list[str]:
    """The error's stack and those of what caused it, the first cause first, as lines; only code, no values."""
    return [line for one in reversed(list(_chain(error))) for line in _stack(one)]


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen and len(seen) < MOST_IN_CHAIN:
        seen.add(id(following))
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _stack(error: BaseException) -> Iterator[str]:
    for entry in traceback.format_tb(error.__traceback__):
        yield from entry.rstrip("\n").split("\n")
    yield told(error)
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions[:MOST_IN_CHAIN]:
            yield f"  with {told(one)}"
