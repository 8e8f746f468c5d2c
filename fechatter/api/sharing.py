"""Charges each request to a person or, if nobody is signed in, to the client's address.

The guards in `counting.py` attach a share to the request before anything else, so failed requests are charged too.
`Endpoint` waits for a turn before it calls its function. Requests without a share (pages, health) are neither counted
nor slowed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TypeVar

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response

from fechatter.auth.body_memory import HeldBody
from fechatter.auth.pace import KIB_ROWS, REQUEST_ROWS, ROWS_A_SECOND
from fechatter.auth.quotas import Quota, Quotas
from fechatter.auth.turns import SharedTurns
from fechatter.storage.engines.base import Transaction, Work
from fechatter.tasks import Tasks

T = TypeVar("T")

KIB = 1024
ROWS_OF_A_REQUEST = 1_000
"""Each further amount of work of this size counts as one more request."""


class Share:
    """
    Args:
        key: a person's id, or a client's network.
        quota: charged for work that is worth several requests.
        turns: where a request waits for others of the same key; None if only its pace is limited.

    Attributes:
        key: see above.
        rows: the work of this request so far.
    """

    def __init__(self, quotas: Quotas, key: Hashable, quota: Quota, turns: SharedTurns | None) -> None:
        self.rows = 0.0
        self.key = key
        self._quotas = quotas
        self._quota = quota
        self._turns = turns
        self.count(REQUEST_ROWS)

    def count(self, rows: float) -> None:
        """Charge work that was done for this request."""
        self.rows += rows
        self._quotas.pace.charge(self.key, rows)

    async def wait(self) -> None:
        """Wait while the key is beyond its burst."""
        await self._quotas.pace.wait(self.key)

    @asynccontextmanager
    async def turn(self, request: Request) -> AsyncIterator[None]:
        """Raises Unavailable: too many wait. Raises ClientDisconnect: the client left while its request waited."""
        if self._turns is None:
            await self.wait()
            yield
            return
        async with AsyncExitStack() as held:
            turn = self._turns.turn(self.key)
            if self._turns.is_free(self.key):
                heavy = await held.enter_async_context(turn)
            else:
                async with _while_connected(request):
                    heavy = await held.enter_async_context(turn)
            began, rows = time.monotonic(), self.rows
            try:
                yield
            finally:
                if heavy:
                    self.count(max(0.0, (time.monotonic() - began) * ROWS_A_SECOND - (self.rows - rows)))

    @contextmanager
    def body(self) -> Iterator[HeldBody]:
        """A body's place in memory."""
        with self._quotas.bodies.hold(self.key) as held:
            yield held

    def charge_quota(self) -> tuple[tuple[bytes, bytes], ...]:
        """Charge the quota if the request was worth more than one; returns the changed headers, if any."""
        more = int(self.rows / ROWS_OF_A_REQUEST)
        return self._quota.charge(self.key, more) if more else ()


def of(request: HTTPConnection) -> Share | None:
    """The request's share, if it has one."""
    share: Share | None = request.scope.get("state", {}).get("share")
    return share


def required(request: HTTPConnection) -> Share:
    """The share of a request whose guard gave it one."""
    share = of(request)
    assert share is not None
    return share


def count(request: HTTPConnection, rows: float) -> None:
    """Charge work that was done for the request."""
    if (share := of(request)) is not None:
        share.count(rows)


@asynccontextmanager
async def turn(request: Request) -> AsyncIterator[None]:
    """The request's turn. Raises Unavailable: too many wait."""
    if (share := of(request)) is None:
        yield
        return
    async with share.turn(request):
        yield


@asynccontextmanager
async def _while_connected(request: Request) -> AsyncIterator[None]:
    """Wait in the block only while the client is connected; the body must have been read. Raises ClientDisconnect."""
    try:
        async with asyncio.timeout(None) as patience:
            tasks: Tasks = request.scope["app"].services.tasks
            watch = tasks.start("watch a waiting client", _until_gone(request, lambda: patience.reschedule(0)))
            try:
                yield
            finally:
                watch.cancel()
    except TimeoutError:
        raise ClientDisconnect from None


async def _until_gone(request: Request, gone: Callable[[], None]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone()


@contextmanager
def rows_of(request: HTTPConnection, work: Work[T]) -> Iterator[Work[T]]:
    """Wrap `work` so that its rows are charged at the end, even if it fails. The engine may run it on another thread
    and repeat it."""
    read: list[int] = []

    async def counted(tx: Transaction) -> T:
        try:
            return await work(tx)
        finally:
            read.append(tx.rows)

    try:
        yield counted
    finally:
        count(request, sum(read))


def count_answer(request: HTTPConnection, answer: Response) -> None:
    """Charge the bytes of an answer, and the quota for work that was worth several requests."""
    if (share := of(request)) is None:
        return
    share.count(len(getattr(answer, "body", b"")) / KIB * KIB_ROWS)
    if headers := share.charge_quota():
        request.scope["state"]["quota"] = headers
