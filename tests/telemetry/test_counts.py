"""Counts that the packages keep while they work."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from fechatter.api.middleware import requests
from fechatter.api.middleware.requests import Requests
from fechatter.hub.hub import Hub
from fechatter.hub.listener import Reader
from fechatter.settings import Settings
from fechatter.storage.engines.base import Database
from fechatter.telemetry import loop_lag
from fechatter.telemetry.loop_lag import LoopLag
from tests import world
from tests.hub.node import OwnTasks


async def test_events_that_the_bus_lost_are_counted_when_the_log_fills_the_gap(database: Database) -> None:
    tasks, node = OwnTasks(), world.WriterNode(database)
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    hub = Hub(database, tasks, Settings())
    await hub.open(Reader(bob.user_id, bob.workspace_id, bob.session_id), None)
    for number in range(3):
        await node.sent(alice, chat_id, f"message {number}")
    hub.receive(node.frames[2:])
    await tasks.ended()
    assert (hub.gaps.filled, hub.gaps.events) == (1, 3)
    await node.close()
    await tasks.stop()


async def test_the_writer_counts_batches_rows_and_failures(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    interrupted = world.InterruptedDatabase(database)
    node = world.WriterNode(interrupted)
    answers = [node.push(alice, chat_id, f"message {number}") for number in range(5)]
    await node.commit()
    writer = node._writer
    assert [world.stored(await answer)[0] for answer in answers] == [201] * 5
    assert (
        writer.stored,
        writer.failed,
        writer.batch_rows.total,
        sum(writer.batch_rows.counts),
        writer.busy_since,
    ) == (5, 0, 5, 1, None)
    interrupted.lose_answer = True
    assert world.refusal(await node.send(alice, chat_id, "lost")) == (503, "not_stored")
    assert (writer.stored, writer.failed, bool(writer.failing)) == (5, 1, True)
    interrupted.lose_answer = False
    assert world.stored(await node.send(alice, chat_id, "not lost"))[0] == 201
    assert (writer.failed, writer.failing) == (1, "")
    await node.close()


async def test_a_blocked_loop_shows_its_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_lag, "EVERY_SECONDS", 0.01)
    lag = LoopLag()
    assert lag.worst_seconds is None
    watching = OwnTasks()
    watching.start("watch", lag.run())
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251  # This delay is measured.
    await asyncio.sleep(0.02)
    await watching.stop()
    assert lag.worst_seconds is not None
    assert lag.worst_seconds > 0.05
    assert lag.seconds.total > 0.05


def test_active_people_are_counted_for_a_minute_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_PEOPLE", 100)
    counted = Requests()
    for number in range(1000):
        scope: dict[str, Any] = {"method": "GET", "state": {"claims": SimpleNamespace(user_id=number)}}
        counted.answered(scope, 200, 5.0, 0.001)
        assert len(counted._people) <= 101
    counted.answered(scope, 200, 100.0, 0.001)
    assert counted.people(100.0) == 1
    assert counted.people(200.0) == 0
    assert counted.counts == {("unmatched", "GET", 200): 1001}
