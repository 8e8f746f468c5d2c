"""The turns of requests, and the charges for their work."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from fechatter.api import sharing
from fechatter.api.waiting import WaitingClients
from fechatter.auth.pace import BURST_ROWS
from fechatter.auth.quotas import Quotas
from fechatter.auth.turns import TURNS_PER_KEY
from fechatter.settings import Settings
from tests.hub.node import OwnTasks
from tests.test_fair import settle


class Client:
    """A client whose requests wait. `leave` disconnects it."""

    def __init__(self, quotas: Quotas, tasks: OwnTasks) -> None:
        self.quotas = quotas
        self._left = asyncio.Event()
        self._app = SimpleNamespace(services=SimpleNamespace(tasks=tasks), waits=WaitingClients())

    def request(self) -> Request:
        share = sharing.Share(self.quotas, 7, self.quotas.requests, self.quotas.reads)
        return Request({"type": "http", "app": self._app, "state": {"share": share}}, self._receive)

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    def leave(self) -> None:
        self._left.set()


async def wait_for_turn(request: Request, end: asyncio.Event) -> None:
    async with sharing.turn(request):
        await end.wait()


async def test_a_request_leaves_the_queue_when_its_client_disconnects() -> None:
    quotas, tasks, end = Quotas(Settings()), OwnTasks(), asyncio.Event()
    staying, leaving = Client(quotas, tasks), Client(quotas, tasks)
    served = [asyncio.ensure_future(wait_for_turn(staying.request(), end)) for _ in range(TURNS_PER_KEY + 1)]
    left = [asyncio.ensure_future(wait_for_turn(leaving.request(), end)) for _ in range(20)]
    await settle()
    assert quotas.reads.queue.depth() == TURNS_PER_KEY + 21
    leaving.leave()
    for task in left:
        with pytest.raises(ClientDisconnect):
            await task
    assert quotas.reads.queue.depth() == TURNS_PER_KEY + 1
    end.set()
    await asyncio.gather(*served)
    assert quotas.reads.queue.depth() == 0
    await tasks.stop()


async def test_much_work_counts_as_several_requests() -> None:
    quotas = Quotas(Settings())
    share = sharing.Share(quotas, 7, quotas.requests, quotas.reads)
    assert share.charge_quota() == ()
    share.count(BURST_ROWS)
    assert quotas.pace.is_heavy(7)
    assert not quotas.pace.is_heavy(8)
    assert share.charge_quota()[0] == (b"ratelimit-policy", b'"requests";q=6000;w=60')
