"""Extras: the optional fields of a message, as one JSON object.

The native side does not interpret the object. Only messages with extras are checked here, against the struct `Extras`.
"""

from __future__ import annotations

from fechatter.errors import Problem
from fechatter.model import Extras
from fechatter.validation import decode


def extras_problem(extras: str, fields: type[Extras]) -> Problem | None:
    """Return the refusal of a message with these extras; None if they are valid."""
    try:
        decode(extras, fields, root="/extras")
    except Problem as problem:
        return problem
    return None
