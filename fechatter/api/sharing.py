"""Charges each request to a person or, if nobody is signed in, to the client's address.

The guards in `counting.py` attach a share to the request before anything else, so failed requests are charged too.
`Endpoint` waits for a turn before it calls its function. Requests without a share (pages, health) are neither counted
nor slowed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, TypeVar

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
WATCHED_AFTER_SECONDS = 0.1
CHARGED_ROWS = 1_000
"""Work is charged when it reaches this size. Less is charged once, at the end of its request."""


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
        self.rows = self._uncharged = float(REQUEST_ROWS)
        self.key = key
        self._quotas = quotas
        self._quota = quota
        self._turns = turns
        quotas.pace.note(key)

    def count(self, rows: float) -> None:
        """Count work that was done for this request. Much work is charged immediately, the rest by `settle`."""
        self.rows += rows
        self._uncharged += rows
        if self._uncharged >= CHARGED_ROWS:
            self.settle()

    def settle(self) -> None:
        """Charge the work that was counted; call this when the request ends, however it ends."""
        rows, self._uncharged = self._uncharged, 0.0
        if rows:
            self._quotas.pace.charge(self.key, rows)

    def enter_if_free(self) -> bool:
        """Begin a turn if no other request is in the way; `leave` ends it."""
        return self._turns is not None and self._turns.enter_if_free(self.key)

    def leave(self) -> None:
        """End a turn that `enter_if_free` has begun."""
        if self._turns is not None:
            self._turns.leave(self.key)

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
        try:
            with self._quotas.bodies.hold(self.key) as held:
                yield held
        finally:
            self.settle()

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


class turn:  # used like a function; contextlib's own would cost five times as much in each request
    """The request's turn. Raises Unavailable: too many wait."""

    __slots__ = ("_request", "_share", "_waiting")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._share = of(request)
        self._waiting: AbstractAsyncContextManager[None] | None = None

    async def __aenter__(self) -> None:
        if self._share is not None and not self._share.enter_if_free():
            self._waiting = self._share.turn(self._request)
            await self._waiting.__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        if self._share is None:
            return
        try:
            if self._waiting is None:
                self._share.leave()
            else:
                await self._waiting.__aexit__(*error)
        finally:
            self._share.settle()


@asynccontextmanager
async def _while_connected(request: Request) -> AsyncIterator[None]:
    """Wait in the block only while the client is connected; the body must have been read. Raises ClientDisconnect."""
    try:
        async with asyncio.timeout(None) as patience:
            tasks: Tasks = request.scope["app"].services.tasks
            watches: list[asyncio.Task[None]] = []

            def watch() -> None:
                gone = _until_gone(request, lambda: patience.reschedule(0))
                watches.append(tasks.start("watch a waiting client", gone))

            # Most waits end sooner, and a task for each of them would cost more than the wait.
            later = asyncio.get_running_loop().call_later(WATCHED_AFTER_SECONDS, watch)
            try:
                yield
            finally:
                later.cancel()
                for one in watches:
                    one.cancel()
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
