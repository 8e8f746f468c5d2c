"""The order in which the parts of a process stop."""

from __future__ import annotations

import pytest

from fechatter.stopping import Stage, StopOrder


async def test_steps_run_by_stage_and_within_a_stage_in_reverse_order() -> None:
    order, ran = StopOrder(), list[str]()

    async def close_database() -> None:
        ran.append("database")

    order.add(Stage.BACKENDS, close_database)
    order.add(Stage.BACKENDS, lambda: ran.append("bus"))
    order.add(Stage.ACCEPTING, lambda: ran.append("listening"))
    order.add(Stage.WRITER, lambda: ran.append("writer"))
    order.add(Stage.STREAMS, lambda: ran.append("streams"))
    await order.run()
    assert ran == ["listening", "streams", "writer", "bus", "database"]


async def test_a_step_that_fails_does_not_prevent_the_later_steps() -> None:
    order, ran = StopOrder(), list[str]()

    def fail() -> None:
        raise OSError("the port is gone")

    order.add(Stage.ACCEPTING, fail)
    order.add(Stage.BACKENDS, lambda: ran.append("database"))
    with pytest.raises(OSError, match="the port is gone"):
        await order.run()
    assert ran == ["database"]
