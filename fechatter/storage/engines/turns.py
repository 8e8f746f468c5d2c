"""Whose change may wait for a workspace's lock with a connection in hand: a few of each workspace; the others wait without one.

So a workspace whose lock is held for long leaves connections to the changes of others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary


class Crowded(Exception):
    """As many changes of this workspace have a connection as may; nothing was changed yet."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        super().__init__("wait for a turn, then begin anew")
        self.turns = turns


class Turn:
    """One change's turn; kept when the change begins anew."""

    def __init__(self, workspaces: Turns) -> None:
        self._workspaces = workspaces
        self._held: asyncio.Semaphore | None = None

    async def take(self, workspace_id: int) -> None:
        """Raises Crowded instead of waiting."""
        if self._held is None:
            turns = self._workspaces.of(workspace_id)
            if turns.locked():
                raise Crowded(turns)
            await self.wait(turns)

    async def wait(self, turns: asyncio.Semaphore) -> None:
        """In the order they came."""
        await turns.acquire()
        self._held = turns

    def give_back(self) -> None:
        if self._held is not None:
            self._held.release()


class Turns:
    """`most` changes of each workspace may hold a connection."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, workspace_id: int) -> asyncio.Semaphore:
        """A workspace's turns; forgotten when nobody has or awaits one."""
        turns = self._of.get(workspace_id)
        if turns is None:
            turns = self._of[workspace_id] = asyncio.Semaphore(self._most)
        return turns

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """For one change, from its beginning to its end."""
        turn = Turn(self)
        try:
            yield turn
        finally:
            turn.give_back()
