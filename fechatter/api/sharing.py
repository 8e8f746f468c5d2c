"""Charges each request to a person or, if nobody is signed in, to the client's address.

The guards in `counting.py` attach a share to the request before anything else, so failed requests are charged too.
`Endpoint` waits for a turn before it calls its function. Requests without a share (pages, health) are neither counted
nor slowed.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from fechatter.api.waiting import WaitingClients
from fechatter.auth.body_memory import HeldBody
from fechatter.auth.pace import KIB_ROWS, REQUEST_ROWS, ROWS_A_SECOND
from fechatter.auth.quotas import Quota, Quotas
from fechatter.auth.rates import Key
from fechatter.auth.turns import SharedTurns
from fechatter.storage.engines.base import Transaction, Work

T = TypeVar("T")

KIB = 1024
ROWS_OF_A_REQUEST = 1_000
"""Each full amount of work of this size counts as one more request against the quota."""
CHARGED_ROWS = 1_000
"""Work is charged when it reaches this size. Less is charged once, at the end of its request."""


class Share:
    """The work of one request, charged to its key.

    Args:
        key: a person's id, or a client's network.
        quota: charged for work that is worth several requests.
        turns: where a request waits for others of the same key; None if only its pace is limited.

    Attributes:
        key: see above.
        rows: the work of this request so far.
    """

    def __init__(self, quotas: Quotas, key: Key, quota: Quota, turns: SharedTurns | None) -> None:
        self.rows = self._uncharged = float(REQUEST_ROWS)
        self.key = key
        self._quotas = quotas
        self._quota = quota
        self._turns = turns
        self._heavy_since: tuple[float, float] | None = None
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

    async def enter(self, request: Request) -> None:
        """Wait for a turn; `leave` ends it.

        Raises:
            Unavailable: too many requests wait.
            ClientDisconnect: the client left while its request waited.
        """
        if self._turns is None:
            await self.wait()
            return
        waits: WaitingClients = request.scope["app"].waits
        if await waits.wait(request, self._turns.enter(self.key)):
            self._heavy_since = time.monotonic(), self.rows

    def leave(self) -> None:
        """End the turn. A heavy key is charged for the time that its turn took, if that is more than its rows."""
        if self._turns is None:
            return
        if self._heavy_since is None:
            self._turns.leave(self.key)
            return
        began, rows = self._heavy_since
        self._heavy_since = None
        self._turns.leave(self.key, heavy=True)
        self.count(max(0.0, (time.monotonic() - began) * ROWS_A_SECOND - (self.rows - rows)))

    async def wait(self) -> None:
        """Wait while the key is beyond its burst and lighter keys are active."""
        await self._quotas.pace.wait(self.key)

    @contextmanager
    def body(self) -> Iterator[HeldBody]:
        """Count the memory of a request body during the block."""
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
    """Return the request's share, or None."""
    share: Share | None = request.scope.get("state", {}).get("share")
    return share


def required(request: HTTPConnection) -> Share:
    """Return the share of a request; the request must have one."""
    share = of(request)
    assert share is not None
    return share


def count(request: HTTPConnection, rows: float) -> None:
    """Charge work that was done for the request."""
    if (share := of(request)) is not None:
        share.count(rows)


class turn:  # used like a function; contextlib's own would cost five times as much in each request
    """Wait for the request's turn, and end the turn after the block.

    Raises:
        Unavailable: too many requests wait.
        ClientDisconnect: the client left while its request waited.
    """

    __slots__ = ("_request", "_share")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._share = of(request)

    async def __aenter__(self) -> None:
        if self._share is not None and not self._share.enter_if_free():
            await self._share.enter(self._request)

    async def __aexit__(self, *error: object) -> None:
        if self._share is not None:
            self._share.leave()
            self._share.settle()


async def charged(request: HTTPConnection, run: Callable[[Work[T]], Awaitable[T]], work: Work[T]) -> T:
    """Run `work` and charge its rows at the end, even if it fails. The engine may run it on another thread and repeat
    it."""
    rows = 0

    async def counted(tx: Transaction) -> T:
        nonlocal rows
        try:
            return await work(tx)
        finally:
            rows += tx.rows

    try:
        return await run(counted)
    finally:
        count(request, rows)


def count_answer(request: HTTPConnection, answer: Response) -> None:
    """Charge the bytes of an answer, and the quota for work that was worth several requests."""
    if (share := of(request)) is None:
        return
    share.count(len(getattr(answer, "body", b"")) / KIB * KIB_ROWS)
    if headers := share.charge_quota():
        request.scope["state"]["quota"] = headers
