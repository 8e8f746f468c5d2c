"""ARCHITECTURE.md fits the code: its files and names exist, and its packages are in the order of their layers."""

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

import grimp
import pytest

CHECKOUT = Path(__file__).parents[1]
TEXT = (CHECKOUT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(r"`((?:fechatter|native|tests|benches|migrations|scripts)/[\w/.-]*)`", TEXT)))
NAMES = sorted(set(re.findall(r"`(\w+(?:\.\w+)?)`", TEXT)))
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for folder, pattern in (("fechatter", "*.py"), ("native/src", "*.rs"), ("migrations", "*.sql"))
    for path in (CHECKOUT / folder).rglob(pattern)
)


@pytest.mark.parametrize("path", PATHS)
def test_every_file_that_the_map_names_exists(path: str) -> None:
    assert (CHECKOUT / path).exists()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_the_map_exists(name: str) -> None:
    files = {path.name for path in CHECKOUT.glob("fechatter/**/*.py")}
    last = name.rsplit(".", 1)[-1]
    assert name in files or re.search(rf"\b{re.escape(last)}\b", SOURCES), f"{name} is in no source"


def layers() -> list[list[str]]:
    """Return the packages of each layer of import-linter, from the top. Layers without a package are left out."""
    contract = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    found = [re.findall(r"\w+", layer) for layer in contract["layers"]]
    existing = [[name for name in layer if list((CHECKOUT / "fechatter").glob(f"{name}*"))] for layer in found]
    return [layer for layer in existing if layer]


def rows() -> list[tuple[str, list[str]]]:
    """Each package of the table, from the top, with the imports of its row."""
    section = TEXT.split("## Packages", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^\| `fechatter/(\w+)(?:/|\.py)` \|.*\|([^|]*)\|$", section, re.MULTILINE)
    return [(name, re.findall(r"`(\w+)`", imports)) for name, imports in found]


def test_the_packages_of_the_map_are_in_the_order_of_the_layers() -> None:
    depth = {name: number for number, layer in enumerate(layers()) for name in layer}
    listed = [name for name, _ in rows()]
    assert sorted(listed) == sorted(depth)
    assert [depth[name] for name in listed] == sorted(depth[name] for name in listed)


def test_every_import_of_the_map_is_an_import_of_the_code() -> None:
    graph = grimp.build_graph("fechatter")
    for name, imports in rows():
        importing = {f"fechatter.{name}", *graph.find_descendants(f"fechatter.{name}")}
        targets = {target for each in importing for target in graph.find_modules_directly_imported_by(each)}
        imported = {target.removeprefix("fechatter.").split(".")[0] for target in targets}
        assert set(imports) <= imported, name


def test_each_class_name_is_defined_once() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (CHECKOUT / "fechatter").rglob("*.py")]
    counted = Counter(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    assert [name for name, count in counted.items() if count > 1] == []
