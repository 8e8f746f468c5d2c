"""The contract of every bus."""

from collections.abc import AsyncIterator

import pytest

from fechatter.bus.single_node import SingleNodeBus
from tests.bus.nodes import Node, frame, frames, nats_node, signal, started


@pytest.fixture(params=["single node", "nats"])
async def node(request: pytest.FixtureRequest) -> AsyncIterator[Node]:
    opened = (
        started(SingleNodeBus()) if request.param == "single node" else nats_node(request.getfixturevalue("nats_url"))
    )
    async with opened as each:
        yield each


async def test_the_own_node_has_everything_when_publish_returns(node: Node) -> None:
    node.publish(frames(1, 3), [signal()])
    assert node.seqs == [1, 2, 3]
    assert node.signals == [signal()]


async def test_the_era_travels_with_the_frames(node: Node) -> None:
    node.publish([frame(1, era="one")], [])
    node.publish([frame(1, era="two")], [])
    assert [each.era for each in node.frames] == ["one", "two"]


async def test_publishing_nothing_delivers_nothing(node: Node) -> None:
    node.publish([], [])
    assert node.frames == []
    assert node.signals == []


async def test_a_working_bus_is_ok(node: Node) -> None:
    assert node.bus.state == "ok"
