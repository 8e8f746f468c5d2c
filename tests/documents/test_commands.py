"""The commands in the pages run: each `fechatter` and `make` command is parsed, and the first chat is typed in."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fechatter.cli import build_parser
from fechatter.settings import Settings
from tests.documents.pages import ROOT, blocks, pages, text
from tests.journeys.server import ServerProcess

READ = [page for page in pages() if not page.startswith("fechatter/telemetry")]
NO_SETTINGS = {"FECHATTER_URL", "FECHATTER_CONFIG"}
PLACEHOLDERS = {"SLUG": "slug", "FILE": "file", "FOLDER": "folder"}


def command_lines() -> Iterator[tuple[str, str]]:
    """Page and text of every command in a fenced block or in backquotes."""
    for page in READ:
        for block in blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                yield from ((page, part.strip()) for part in line.split("&&"))
        yield from ((page, code) for code in re.findall(r"`([^`\n]+)`", text(page)))


def named(program: str) -> list[tuple[str, str]]:
    """Page and arguments of each call of a program."""
    call = re.compile(rf"(?:\w+=\S+ )*(?:\S*/)?{program}((?: [^#<>|\n]*)?)(?:[#<>|].*)?")
    found = {(page, match[1].strip()) for page, line in command_lines() if (match := call.fullmatch(line))}
    return sorted(found)


@pytest.mark.parametrize(("page", "arguments"), named("fechatter"))
def test_every_call_of_fechatter_is_accepted_by_its_parser(page: str, arguments: str) -> None:
    words = [PLACEHOLDERS.get(word, word) for word in shlex.split(arguments)]
    has_flags = any(word.startswith("-") for word in words)
    assert accepts(words) or (not has_flags and accepts([*words, "--help"])), f"{page}: fechatter {arguments}"


def accepts(words: list[str]) -> bool:
    """Whether the parser accepts the command line, or prints help for it."""
    try:
        build_parser().parse_args(words)
    except SystemExit as exit:
        return exit.code == 0
    return True


@pytest.mark.parametrize(("page", "arguments"), named("make"))
def test_every_target_of_make_exists(page: str, arguments: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert [word for word in shlex.split(arguments) if "=" not in word and word not in targets] == []


@pytest.mark.parametrize("page", READ)
def test_every_variable_is_a_setting(page: str) -> None:
    settings = {f"FECHATTER_{field.name.upper()}" for field in msgspec.structs.fields(Settings)}
    assert set(re.findall(r"\bFECHATTER_[A-Z_]*[A-Z]", text(page))) - NO_SETTINGS - settings == set()


def test_the_defaults_in_the_table_of_settings_are_those_of_the_program() -> None:
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", text("docs/configuration.md"), re.MULTILINE)
    compared = 0
    for keys, values in rows:
        names, shown = re.findall(r"`FECHATTER_(\w+)`", keys), re.findall(r"`([^`]+)`", values)
        for name, value in zip(names, shown, strict=False):
            default = defaults[name.lower()]
            assert value == (("off", "on")[default] if isinstance(default, bool) else str(default)), name
            compared += 1
    assert compared >= 8


def test_the_scripts_and_files_that_commands_read_exist() -> None:
    read = {word for _, line in command_lines() for word in re.findall(r"(?:scripts|examples|deploy)/[\w.]+", line)}
    assert {name for name in read if not (ROOT / name).exists()} == set()


def test_the_first_messages_can_be_typed_in_as_the_page_shows_them(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    server.start()
    try:
        stream = tmp_path / "stream"
        (printed,) = blocks("docs/quick-start.md", "")
        printed = printed.replace("6688", str(server.port)).replace("…", server.setup_token)
        script = "\n".join(blocks("docs/api.md", "sh")).split("FECHATTER=")[0]
        script = script.replace("http://127.0.0.1:6688", f"http://127.0.0.1:{server.port}")
        script = script.replace('"TOKEN"', f'"{server.setup_token}"')
        script = re.sub(
            r'-H "Authorization: Bearer \$grace" &', rf'-H "Authorization: Bearer $grace" >{stream} & {LISTENS}', script
        )
        script = re.sub(r"^curl -sSN .*THE-LAST-ID.*$", resumes(stream), script, flags=re.MULTILINE)
        environment = {"PATH": os.environ["PATH"], "STREAM": str(stream)}
        done = subprocess.run(
            ["sh", "-euc", script], env=environment, capture_output=True, text=True, check=False, timeout=100
        )
    finally:
        server.kill()
    assert printed in server.output
    assert done.returncode == 0, done.stderr
    assert '"content":"Hello, Grace!"' in done.stdout.replace('": "', '":"')


LISTENS = r"until grep -q resumed $STREAM || grep -q '^id:' $STREAM; do sleep 0.05; done"


def resumes(stream: Path) -> str:
    """Wait for the message in the background stream, then resume before it and read until it appears again."""
    return (
        f"until grep -q 'Hello, Grace' {stream}; do sleep 0.05; done; kill %1 || kill $!\n"
        f"first=$(sed -n 's/^id: //p' {stream} | head -n 1)\n"
        'curl -sSN -m 60 "$url/events" -H "Authorization: Bearer $grace" -H "Last-Event-ID: $first" '
        '| grep -m 1 "Hello, Grace"'
    )
