"""`fechatter backup`, `restore` and `export` beside a running server under load."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.journeys.client import PASSWORD, Client
from tests.journeys.server import ROOT, ServerProcess
from tests.servers.postgres import Postgres


def _run_fechatter(server: ServerProcess, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "fechatter", *arguments],
        capture_output=True,
        cwd=ROOT,
        env=server.environment(),
        timeout=60,
        check=False,
    )


async def _owner(server: ServerProcess) -> Client:
    body = {"email": "ada@example.org", "password": PASSWORD, "fullname": "Ada", "workspace": "Engines"}
    session = await Client(server).post("/api/signup", body | {"setup_token": server.setup_token})
    return Client(server, session)


async def _send_messages(ada: Client, chat_id: int, answered: list[int], count: int) -> None:
    for _ in range(count):
        sent = await ada.post(f"/api/chat/{chat_id}/messages", {"content": f"message {len(answered) + 1}"})
        answered.append(sent["number"])


def _lines(output: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("source", ["sqlite", "postgres"])
async def test_a_busy_server_is_backed_up_exported_and_restored_on_the_other_engine(
    source: str, tmp_path: Path, postgres_server: Postgres
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    server = ServerProcess(tmp_path / "old", postgres_server.create_database() if source == "postgres" else None)
    # The other engine restores the backup.
    restored = ServerProcess(tmp_path / "new", postgres_server.create_database() if source == "sqlite" else None)
    backup = str(tmp_path / "backup")
    try:
        server.start()
        ada = await _owner(server)
        chat = await ada.post("/api/chat", {"chat_type": "public_channel", "name": "engines"})
        answered: list[int] = []
        await _send_messages(ada, chat["id"], answered, 20)
        before = len(answered)
        sending = asyncio.get_running_loop().create_task(_send_messages(ada, chat["id"], answered, 1_000_000))
        made = await asyncio.to_thread(_run_fechatter, server, "backup", backup, "--json")
        assert made.returncode == 0, made.stderr
        during = len(answered)
        exported = await asyncio.to_thread(_run_fechatter, server, "export", "--workspace", "engines", "-", "--json")
        sending.cancel()
        assert exported.returncode == 0, exported.stderr
        assert before < during < len(answered)
        report = orjson.loads(made.stdout)
        assert before <= report["counts"]["messages"] <= during + 1
        _check_export(exported)
        acts = [entry["action"] for entry in (await ada.get("/api/audit"))["items"]]
        assert {"workspace.backed_up", "workspace.exported"} <= set(acts)
        again = _run_fechatter(server, "restore", backup)
        assert again.returncode == 1
        assert b"A restore overwrites nothing" in again.stderr
        server.stop()

        assert _run_fechatter(restored, "restore", backup).returncode == 0
        restored.start()
        refused = await Client(restored, ada.session).ask("GET", "/api/users/me")
        assert refused.status == 401
        session = await Client(restored).post("/api/signin", {"email": "ada@example.org", "password": PASSWORD})
        ada_again = Client(restored, session)
        page = await ada_again.get(f"/api/chat/{chat['id']}/messages?limit=100")
        kept = [message["number"] for message in page["items"]]
        assert kept == list(range(report["counts"]["messages"], 0, -1))[:100]
        sent = await ada_again.post(f"/api/chat/{chat['id']}/messages", {"content": "after"})
        assert sent["number"] == report["counts"]["messages"] + 1
        assert "restore" in [entry["action"] for entry in (await ada_again.get("/api/audit"))["items"]][-1]
    finally:
        server.kill()
        restored.kill()


def _check_export(exported: subprocess.CompletedProcess[bytes]) -> None:
    lines = _lines(exported.stdout)
    counts = orjson.loads(exported.stderr.splitlines()[-1])["counts"]
    assert [line["type"] for line in lines[:3]] == ["export", "workspace", "person"]
    assert lines[-1] == {"type": "end", "counts": counts}
    messages = [line for line in lines if line["type"] == "message"]
    assert [message["number"] for message in messages] == list(range(1, counts["message"] + 1))
    assert [message["content"] for message in messages] == [
        f"message {number}" for number in range(1, counts["message"] + 1)
    ]
    assert b"argon2" not in exported.stdout
    assert b"password" not in exported.stdout


async def test_wrong_paths_are_refused_with_a_reason(tmp_path: Path) -> None:
    server, file = ServerProcess(tmp_path), tmp_path / "backup"
    missing = await asyncio.to_thread(_run_fechatter, server, "backup", str(file))
    assert (missing.returncode, b"There is no database" in missing.stderr) == (1, True)
    await asyncio.to_thread(file.write_bytes, b"no backup")
    refused = await asyncio.to_thread(_run_fechatter, server, "restore", str(file))
    assert (refused.returncode, b"is not a backup" in refused.stderr) == (1, True)
    assert await asyncio.to_thread(os.listdir, tmp_path) == ["backup"]
