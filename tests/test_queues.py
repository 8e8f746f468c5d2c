"""Every queue is declared once by its owner and appears in the table of ARCHITECTURE.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fechatter.app import open_services
from fechatter.bus.nats import NatsBus
from fechatter.bus.seal import Seal
from fechatter.queues import Queue, WaitingLine
from fechatter.settings import Settings
from fechatter.tasks import Tasks
from tests.world import raise_on_death

ARCHITECTURE = Path(__file__).parents[1] / "ARCHITECTURE.md"
UNITS = {"MiB": 1 << 20}


def documented_queues() -> dict[str, tuple[int, str]]:
    """Return the limit and the response of each queue in the table."""
    section = ARCHITECTURE.read_text(encoding="utf-8").split("## Bounds", 1)[1].split("\n## ", 1)[0]
    found = {}
    for name, bound, unit, full in re.findall(r"^\| `(\w+)` \|.*\| ([\d,]+) (\w+) \| (.*) \|$", section, re.MULTILINE):
        found[name] = int(bound.replace(",", "")) * UNITS.get(unit, 1), full
    return found


async def test_the_documented_queues_are_exactly_the_declared_ones(address: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url=address)
    async with open_services(settings, raise_on_death) as services:
        queues = services.queues() + NatsBus("nats://127.0.0.1:1", Tasks(raise_on_death), Seal(b"secret"), str).queues()
        assert [queue.depth() for queue in queues] == [0] * len(queues)
    declared = {queue.name: (queue.bound, queue.full) for queue in queues}
    assert len(declared) == len(queues)
    assert declared == documented_queues()


def test_a_line_counts_waiting_calls_and_refuses_calls_beyond_its_limit() -> None:
    line = WaitingLine("test", 2, "calls", "503", BlockingIOError)
    with line, line:
        assert line.queue.depth() == 2
        with pytest.raises(BlockingIOError), line:
            raise AssertionError("let in")
    assert line.queue == Queue("test", 2, "calls", "503", line.queue.depth)
    assert line.queue.depth() == 0
    with line:
        assert line.queue.depth() == 1
