"""The committed contract is current, and declares every code that can be raised."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fechatter.codes import FIELDS, PROBLEMS
from fechatter.errors import Conflict, FieldError, NotFound

CHECKOUT = Path(__file__).parents[2]


def test_the_committed_contract_is_current() -> None:
    shown = subprocess.run([sys.executable, "scripts/openapi.py", "--check"], cwd=CHECKOUT, timeout=60, check=False)
    assert shown.returncode == 0, "run: make openapi"


def texts(node: ast.expr) -> Iterator[str]:
    """Yield every text that an expression can evaluate to."""
    return (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))


def raised() -> Iterator[tuple[str, str]]:
    """Yield (`problem` or `field`, code) for every place in the sources that names a code."""
    for path in (CHECKOUT / "fechatter").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield from (("problem", code) for word in node.keywords if word.arg == "code" for code in texts(word.value))
            if name == "StorageBusy":
                yield from (("problem", code) for code in texts(node.args[0]))
            if name in ("FieldError", "field") and len(node.args) == 3:
                yield from (("field", code) for code in texts(node.args[1]))
    for path in (CHECKOUT / "native" / "src").rglob("*.rs"):
        source = path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
        yield from (
            ("field", code) for code in re.findall(r'errors\.push(?:_named)?\([^"]*(?:"[^"]*",\s*)?"([a-z_]+)"', source)
        )
        yield from (("problem", code) for code in re.findall(r'=> "(malformed_[a-z_0-9]+)"', source))


RAISED = sorted(set(raised()))


def test_the_search_finds_many_codes() -> None:
    assert len(RAISED) > 50


@pytest.mark.parametrize(("kind", "code"), RAISED)
def test_every_code_that_is_raised_is_declared(kind: str, code: str) -> None:
    assert code in (PROBLEMS if kind == "problem" else FIELDS)


def test_an_undeclared_code_cannot_be_raised() -> None:
    for wrong in (
        lambda: Conflict(code="no_such_code"),
        lambda: NotFound(code="name_taken"),
        lambda: FieldError("/x", "no_such_code", ""),
    ):
        with pytest.raises(LookupError):
            wrong()
