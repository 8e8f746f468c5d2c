"""A panic in native code ends the process with a message, and no acknowledged message is lost."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import orjson
import pytest

from fechatter import native
from tests.journeys.senders import SenderGroup, wait_until_true
from tests.journeys.server import ROOT, ServerProcess

BUILD = [
    *("cargo", "build", "--locked", "--quiet", "--message-format=json"),
    *("--package", "fechatter-native", "--features", "python,panic-switch"),
]
PASSAGES = 40
"""The switch panics when the code passes the place for this time. By then, messages are acknowledged."""


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A debug build of the extension with the switch."""
    built = subprocess.run(BUILD, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    reports = map(orjson.loads, built.stdout.splitlines())
    files = [name for report in reports for name in report.get("filenames", ()) if "fechatter_native" in name]
    library = next(Path(name) for name in files if name.endswith((".so", ".dylib")))
    return Path(shutil.copy(library, tmp_path_factory.mktemp("extension") / "_native.abi3.so"))


@pytest.fixture
def panicking(extension: Path, engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    url = request.getfixturevalue("postgres_server").create_database() if engine == "postgres" else None
    server = ServerProcess(tmp_path, url, program=["-m", "tests.gateway.panicking", str(extension)])
    try:
        yield server
    finally:
        server.kill()


@pytest.mark.parametrize(
    ("engine", "place"),
    [
        ("sqlite", "gateway_append"),
        ("sqlite", "gateway_answer"),
        ("sqlite", "writer_take"),
        ("sqlite", "writer_encode"),
        ("sqlite", "writer_answer"),
        ("sqlite", "push"),
        ("postgres", "writer_take"),
        ("postgres", "writer_answer"),
    ],
)
async def test_a_panic_ends_the_process_and_loses_no_acknowledged_message(panicking: ServerProcess, place: str) -> None:
    server = panicking
    # Only the app calls `push`.
    server.settings["gateway"] = "off" if place == "push" else "on"
    server.variables["NATIVE_PANIC"] = f"{place}:{PASSAGES}"
    await asyncio.to_thread(server.start)
    group = await SenderGroup.begin(server)
    group.start()
    assert await asyncio.to_thread(server.wait) == -signal.SIGABRT
    assert "fechatter: the native code failed and ends the process: " in server.output
    assert f"the switch at {place}" in server.output
    before = set(group.acknowledged)
    assert len(before) > 0
    del server.variables["NATIVE_PANIC"]
    await asyncio.to_thread(server.start)
    await wait_until_true(lambda: len(group.acknowledged) >= len(before) + 2 * group.size)
    await group.stop()
    stored = await group.stored()
    assert len(stored) == len(set(stored)), "a message is stored twice"
    assert set(group.acknowledged) <= set(stored), "an acknowledged message was lost"
    # Each sender had at most one message without an answer when it was stopped.
    assert len(stored) <= len(group.acknowledged) + group.size


async def test_the_extension_of_a_server_has_no_switch() -> None:
    assert native.BUILD == "release"
    content = _served_extension()
    assert b"the native code failed and ends the process" in content
    assert b"NATIVE_PANIC" not in content


def _served_extension() -> bytes:
    found = find_spec("fechatter._native")
    assert found is not None
    return Path(str(found.origin)).read_bytes()
