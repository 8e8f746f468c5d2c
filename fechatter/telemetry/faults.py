"""Describes errors for the log without the values that clients sent.

Our own errors and the interpreter's contain no such values. A database driver's may: PostgreSQL repeats the row in its
DETAIL, and asyncpg repeats the argument.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator

MAX_IN_CHAIN = 8
MAX_CHARACTERS = 1_000
_QUOTING = ("22", "P0001")
"""SQLSTATEs whose messages may quote a value: data exceptions, and errors that a trigger raises."""


def describe_error(error: BaseException) -> str:
    """Return the error's type and, if it contains no client data, the start of its message."""
    kind, text = type(error).__name__, _message(error)[:MAX_CHARACTERS]
    return f"{kind}: {text}" if text else kind


def _message(error: BaseException) -> str:
    if not any(kind.__module__.startswith("asyncpg") for kind in type(error).__mro__):
        return str(error)
    state = getattr(error, "sqlstate", None) or ""
    if isinstance(error, ValueError) or state.startswith(_QUOTING) or not error.args:
        return state
    return f"{error.args[0]} {state}".rstrip()


def trace(error: BaseException) -> list[str]:
    """Return the stacks of the error and its causes as lines, the first cause first: code, without values."""
    return [line for cause in reversed(list(_chain(error))) for line in _stack(cause)]


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen and len(seen) < MAX_IN_CHAIN:
        seen.add(id(following))
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _stack(error: BaseException) -> Iterator[str]:
    for entry in traceback.format_tb(error.__traceback__):
        yield from entry.rstrip("\n").split("\n")
    yield describe_error(error)
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions[:MAX_IN_CHAIN]:
            yield f"  with {describe_error(part)}"
