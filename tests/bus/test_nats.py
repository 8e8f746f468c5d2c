"""Several nodes on a real NATS server, also while the server is down."""

import asyncio
import logging
import signal as signals
import statistics
import time
from collections.abc import Iterator

import nats
import pytest
from nats.js.api import StreamConfig

from fechatter.bus import nats as bus_nats
from fechatter.bus import nats_session, outbox
from fechatter.bus.nats import NatsBus
from fechatter.bus.nats_session import STREAM
from tests.bus.nodes import ERA, WAIT_SECONDS, Node, frame, frames, nats_node, signal
from tests.servers.nats import Nats

BLOCKED_SECONDS = 1.0
"""A call that waits for the network takes seconds. A busy machine delays a call only for a moment."""


@pytest.fixture
def own_server() -> Iterator[Nats]:
    """A server that the test may stop."""
    server = Nats()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def freeze(server: Nats, number: signals.Signals) -> None:
    assert server._process is not None
    server._process.send_signal(number)


def dropped(node: Node) -> int:
    assert isinstance(node.bus, NatsBus)
    return node.bus.dropped


@pytest.fixture(autouse=True)
def _soon_stable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_nats, "STABLE_SECONDS", 0.2)


async def settled(node: Node) -> None:
    await node.until(lambda: node.bus.state == "ok")


async def away(node: Node) -> None:
    await node.until(lambda: node.bus.state == "degraded")


async def received(node: Node, *, frames: int, signals: int) -> None:
    await node.until(lambda: len(node.frames) >= frames and len(node.signals) >= signals)


def publish_timed(node: Node, seqs: range) -> float:
    """Publish one frame after the other; returns the median in seconds."""
    taken = []
    for seq in seqs:
        began = time.monotonic()
        node.publish([frame(seq)], [])
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


async def test_frames_and_signals_reach_every_node_once(nats_url: str) -> None:
    async with nats_node(nats_url) as one, nats_node(nats_url) as two, nats_node(nats_url) as three:
        one.publish(frames(1, 50), [signal(b"from one")])
        two.publish(frames(51, 100), [signal(b"from two")])
        for node in (one, two, three):
            await received(node, frames=100, signals=2)
            assert sorted(node.seqs) == list(range(1, 101))
            assert {each.era for each in node.frames} == {ERA}
            assert sorted(each.block for each in node.signals) == [b"from one", b"from two"]


async def test_a_frame_arrives_as_it_was_sent(nats_url: str) -> None:
    async with nats_node(nats_url) as one, nats_node(nats_url) as two:
        one.publish([frame(1, block=bytes(range(256)))], [])
        await two.until(lambda: two.frames)
        assert two.frames == one.frames


async def test_frames_larger_than_a_message_are_sent_in_pieces(nats_url: str) -> None:
    many = [frame(seq, block=bytes(300_000)) for seq in range(1, 11)]
    async with nats_node(nats_url) as one, nats_node(nats_url) as two:
        one.publish(many, [signal(bytes(500_000)), signal(bytes(500_000))])
        await two.until(lambda: len(two.frames) == 10 and len(two.signals) == 2)
        assert two.seqs == list(range(1, 11))
        assert dropped(one) == 0


async def test_a_frame_that_is_too_large_for_a_message_is_dropped(nats_url: str) -> None:
    async with nats_node(nats_url) as one, nats_node(nats_url) as two:
        one.publish([frame(1, block=bytes(2_000_000)), frame(2)], [])
        await two.until(lambda: two.frames)
        assert (two.seqs, dropped(one), one.bus.state) == ([2], 1, "ok")


async def test_signals_of_another_era_of_the_same_life_are_delivered(nats_url: str) -> None:
    async with nats_node(nats_url, era="life-one" + "aaaa") as one, nats_node(nats_url, era="life-one" + "bbbb") as two:
        one.publish([], [signal(b"one")])
        two.publish([], [signal(b"two")])
        for node in (one, two):
            await received(node, frames=0, signals=2)


async def test_signals_of_another_life_are_dropped(nats_url: str) -> None:
    async with nats_node(nats_url) as one, nats_node(nats_url) as two, nats_node(nats_url, era="other") as copy:
        copy.publish([], [signal(b"of a copy")])
        one.publish([], [signal(b"ours")])
        await two.until(lambda: two.signals)
        one.publish([frame(1)], [])
        await copy.until(lambda: copy.frames)
        assert (two.signals, copy.signals) == ([signal(b"ours")], [signal(b"of a copy")])


async def test_publishing_continues_while_nats_is_down_and_delivery_resumes_later(
    own_server: Nats, caplog: pytest.LogCaptureFixture
) -> None:
    async with nats_node(own_server.url) as one, nats_node(own_server.url) as two:
        one.publish([frame(1)], [])
        await two.until(lambda: two.seqs == [1])
        own_server.kill()
        await away(one)
        assert publish_timed(one, range(2, 1002)) < BLOCKED_SECONDS
        assert one.seqs == list(range(1, 1002))
        assert dropped(one) == 1000
        await asyncio.to_thread(own_server.start)
        await settled(one)
        await settled(two)
        one.publish([frame(1002)], [])
        await two.until(lambda: 1002 in two.seqs)
        assert two.seqs == [1, 1002]
    warnings = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert sum("cannot be reached" in each for each in warnings) == 2
    assert sum("dropped 1000 frames and signals" in each for each in warnings) == 1


async def test_a_node_starts_without_nats_and_connects_later(own_server: Nats) -> None:
    own_server.kill()
    async with nats_node(own_server.url, connected=False) as one:
        assert one.bus.state == "degraded"
        one.publish([frame(1)], [])
        assert one.seqs == [1]
        await asyncio.to_thread(own_server.start)
        await settled(one)
        async with nats_node(own_server.url) as two:
            two.publish([frame(2)], [])
            await one.until(lambda: one.seqs == [1, 2])


async def test_the_next_server_of_the_cluster_is_tried(own_server: Nats, nats_url: str) -> None:
    own_server.kill()
    async with nats_node(f"{own_server.url}, {nats_url}") as one, nats_node(nats_url) as two:
        await settled(one)
        two.publish([frame(1)], [])
        await one.until(lambda: one.seqs == [1])


async def test_a_hanging_nats_server_does_not_block_publishing(
    own_server: Nats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_session, "SILENCE_SECONDS", 1.5)
    monkeypatch.setattr(outbox, "MAX_WAITING_BYTES", 1 << 20)
    async with nats_node(own_server.url) as one:
        freeze(own_server, signals.SIGSTOP)
        try:
            assert publish_timed(one, range(1, 20_001)) < BLOCKED_SECONDS
            assert dropped(one) > 0
            await away(one)
        finally:
            freeze(own_server, signals.SIGCONT)
        await settled(one)


async def test_a_deleted_stream_is_created_again(own_server: Nats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_session, "SILENCE_SECONDS", 1.5)
    async with nats_node(own_server.url) as one, nats_node(own_server.url) as two:
        operator = await nats.connect(own_server.url)
        await operator.jetstream().delete_stream(STREAM)
        one.publish([frame(1)], [])
        for node in (one, two):
            await away(node)
            await settled(node)
        one.publish([frame(2)], [])
        await two.until(lambda: two.seqs == [2])
        await operator.close()


async def test_a_stream_that_an_operator_created_is_not_changed(own_server: Nats) -> None:
    operator = await nats.connect(own_server.url)
    await operator.jetstream().add_stream(StreamConfig(name=STREAM, subjects=["events.*"], max_age=60))
    async with nats_node(own_server.url) as one, nats_node(own_server.url) as two:
        one.publish([frame(1)], [])
        await two.until(lambda: two.seqs == [1])
    assert (await operator.jetstream().stream_info(STREAM)).config.max_age == 60
    await operator.close()


async def test_messages_beyond_the_limit_of_unread_ones_are_dropped(
    nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_session, "MAX_RECEIVED", 3)
    async with nats_node(nats_url) as a, nats_node(nats_url) as b:
        many = [frame(1, workspace_id=number) for number in range(1, 301)]
        a.publish(many, [])
        await b.until(lambda: b.frames)
        async with asyncio.timeout(WAIT_SECONDS):
            # This frame is dropped too as long as the node has unread messages.
            while 2 not in b.seqs:
                a.publish([frame(2)], [])
                await asyncio.sleep(0.05)
        assert 0 < b.seqs.count(1) < len(many)
        await b.until(lambda: [queue.depth() for queue in b.bus.queues()] == [0, 0])
