"""Retries a transaction that failed because of another transaction, a bounded number of times."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fechatter.storage.engines.errors import TransactionConflict

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_TRIES = 5
CONFLICT_PAUSE_SECONDS = 0.02


async def retried(attempt: Callable[[], Awaitable[T]]) -> T:
    """Return the result of `attempt`. If another transaction interfered, retry it, up to MAX_TRIES tries in total."""
    for tries in range(1, MAX_TRIES):
        try:
            return await attempt()
        except TransactionConflict as conflict:
            log.debug("attempt %d of a transaction failed: %s", tries, conflict)
            await asyncio.sleep(random.uniform(0, CONFLICT_PAUSE_SECONDS * 2**tries))
    return await attempt()
