"""The pages of Markdown in the checkout, and their parts."""

import contextlib
import importlib.util
import io
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@cache
def script(name: str) -> ModuleType:
    """A module of scripts/, which is not a package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def output(name: str, *arguments: str) -> list[str]:
    """The lines that a lint prints; its exit code must fit them."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = script(name).main([*arguments])
    lines = printed.getvalue().splitlines()
    assert code == bool(lines)
    return lines


def pages() -> list[str]:
    """The names of all pages that Git knows or would add, without the records of benchmarks."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return sorted(name for name in set(names) if not name.startswith("benches/results/") and (ROOT / name).exists())


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> Iterator[str]:
    """The fenced blocks of a language, in order."""
    return (block for found, block in FENCE.findall(text(page)) if found == language)


def without_blocks(page: str) -> str:
    return FENCE.sub("", text(page))
