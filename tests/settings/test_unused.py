"""A setting is marked as unused exactly while no code reads it, so that the start names the settings without effect."""

from __future__ import annotations

import ast
from pathlib import Path

from fechatter.settings import describe

SOURCES = Path(__file__).parents[2] / "fechatter"
TREE = SOURCES / "settings" / "tree.py"


def _owner(node: ast.Attribute) -> str:
    """The last name before the attribute: `settings` in `self._settings.port`."""
    value = node.value
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    return name.lstrip("_")


def _read_keys() -> set[str]:
    """The attributes that the code reads from a `settings`, or that `Settings` reads from itself."""
    found = set()
    for path in SOURCES.rglob("*.py"):
        owners = {"settings", "self"} if path == TREE else {"settings"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and _owner(node) in owners:
                found.add(node.attr)
    return found


def test_a_setting_is_marked_as_unused_exactly_if_no_code_reads_it() -> None:
    read = _read_keys()
    assert [setting.key for setting in describe() if setting.unused != (setting.key not in read)] == []
