"""The order in which a process stops. `fechatter serve` and every other ASGI server use this one order."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from enum import IntEnum, auto

Step = Callable[[], Awaitable[object] | None]


class Stage(IntEnum):
    """The stages of a stop, in order."""

    ACCEPTING = auto()
    """Accept no new connections."""
    STREAMS = auto()
    """Close live streams with a reason, and refuse work that waits for a thread."""
    ANSWERS = auto()
    """Let requests in progress receive their responses."""
    WRITER = auto()
    """Store the waiting messages and answer their senders."""
    TASKS = auto()
    """Cancel the workers and all other background tasks."""
    BACKENDS = auto()
    """Close the bus, then the database."""


class StopOrder:
    """Collects the steps of a stop, and runs them in the order of their stages."""

    def __init__(self) -> None:
        self._steps: list[tuple[Stage, Step]] = []

    def add(self, stage: Stage, step: Step) -> None:
        """Run `step` in this stage. Steps of one stage run in the reverse order in which they were added."""
        self._steps.append((stage, step))

    async def run(self) -> None:
        """Run all steps. A step that fails does not prevent the later ones; its error is raised at the end."""
        async with AsyncExitStack() as stack:
            # The stack runs the last step first.
            for _, step in sorted(self._steps, key=lambda entry: -entry[0]):
                stack.push_async_callback(_run, step)


async def _run(step: Step) -> None:
    result = step()
    if inspect.isawaitable(result):
        await result
