"""Every queue is declared once, by its owner, and the table of bounds says the same."""

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

ARCHITECTURE = Path(__file__).parents[1] / "ARCHITECTURE.md"
UNITS = {"MiB": 1 << 20}


def written() -> dict[str, tuple[int, str]]:
    """Bound and fullness of each queue in the table."""
    section = ARCHITECTURE.read_text(encoding="utf-8").split("## Bounds", 1)[1].split("\n## ", 1)[0]
    found = {}
    for name, bound, unit, full in re.findall(r"^\| `(\w+)` \|.*\| ([\d,]+) (\w+) \| (.*) \|$", section, re.MULTILINE):
        found[name] = int(bound.replace(",", "")) * UNITS.get(unit, 1), full
    return found


def died(name: str, error: BaseException) -> None:
    raise AssertionError(f"task {name} died") from error


async def test_the_table_of_bounds_is_what_the_rooms_declare(address: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url=address)
    async with open_services(settings, died) as services:
        queues = services.queues() + NatsBus("nats://127.0.0.1:1", Tasks(died), Seal(b"secret"), str).queues()
        assert [queue.depth() for queue in queues] == [0] * len(queues)
    told = {queue.name: (queue.bound, queue.full) for queue in queues}
    assert len(told) == len(queues)
    assert told == written()


def test_a_line_counts_who_waits_and_refuses_who_comes_beyond_its_bound() -> None:
    line = WaitingLine("test", 2, "calls", "503", BlockingIOError)
    with line, line:
        assert line.queue.depth() == 2
        with pytest.raises(BlockingIOError), line:
            raise AssertionError("let in")
    assert line.queue == Queue("test", 2, "calls", "503", line.queue.depth)
    assert line.queue.depth() == 0
    with line:
        assert line.queue.depth() == 1
