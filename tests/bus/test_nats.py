"""Several nodes on a real NATS server, and what they do without it."""

import asyncio
import logging
import signal as signals
import statistics
import time
from collections.abc import Iterator

import nats
import pytest
from nats.aio.msg import Msg
from nats.js.api import StreamConfig

from fechatter.bus import nats as bus_nats
from fechatter.bus import nats_session, outbox, wire
from fechatter.bus.nats import NatsBus
from fechatter.bus.nats_session import STREAM
from fechatter.bus.seal import Seal
from tests.bus.nodes import ERA, SECRET, Node, frame, frames, nats_node, signal
from tests.servers.nats import Nats
from tests.servers.process import PATIENCE_SECONDS

BLOCKED_SECONDS = 1.0
"""A call that waited for the network would take seconds; one on a busy machine may take a moment."""


@pytest.fixture
def own_server() -> Iterator[Nats]:
    """A server for this test alone to hurt."""
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
    """Publish one frame after the other; the seconds of the median."""
    taken = []
    for seq in seqs:
        began = time.monotonic()
        node.publish([frame(seq)], [])
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


async def test_frames_and_signals_reach_every_other_node_and_the_own_once(nats_url: str) -> None:
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


async def test_what_is_larger_than_a_message_travels_in_pieces(nats_url: str) -> None:
    many = [frame(seq, block=bytes(300_000)) for seq in range(1, 11)]
    async with nats_node(nats_url) as one, nats_node(nats_url) as two:
        one.publish(many, [signal(bytes(500_000)), signal(bytes(500_000))])
        await two.until(lambda: len(two.frames) == 10 and len(two.signals) == 2)
        assert two.seqs == list(range(1, 11))
        assert dropped(one) == 0


async def test_a_frame_no_message_can_carry_is_left_to_the_log(nats_url: str) -> None:
    async with nats_node(nats_url) as one, nats_node(nats_url) as two:
        one.publish([frame(1, block=bytes(2_000_000)), frame(2)], [])
        await two.until(lambda: two.frames)
        assert (two.seqs, dropped(one), one.bus.state) == ([2], 1, "ok")


async def test_signals_of_another_node_are_passed_on_though_a_start_has_begun_another_era(nats_url: str) -> None:
    async with nats_node(nats_url, era="life-one" + "aaaa") as one, nats_node(nats_url, era="life-one" + "bbbb") as two:
        one.publish([], [signal(b"one")])
        two.publish([], [signal(b"two")])
        for node in (one, two):
            await received(node, frames=0, signals=2)


async def test_signals_of_another_life_are_skipped(nats_url: str) -> None:
    async with nats_node(nats_url) as one, nats_node(nats_url) as two, nats_node(nats_url, era="other") as copy:
        copy.publish([], [signal(b"of a copy")])
        one.publish([], [signal(b"ours")])
        await two.until(lambda: two.signals)
        one.publish([frame(1)], [])
        await copy.until(lambda: copy.frames)
        assert (two.signals, copy.signals) == ([signal(b"ours")], [signal(b"of a copy")])


def rejected(node: Node) -> int:
    return node.bus.rejected


async def forge(url: str, messages: list[tuple[str, bytes]]) -> None:
    """Send as somebody whom NATS lets in."""
    stranger = await nats.connect(url)
    for subject, data in messages:
        await stranger.publish(subject, data)
    await stranger.close()


async def test_bytes_that_are_not_ours_are_dropped_and_counted(nats_url: str, caplog: pytest.LogCaptureFixture) -> None:
    seal = Seal(SECRET)
    junk = (b"", b"\xc1", b"\x92\xa1e\x91\x90", b'{"a": 1}', b"\xff" * 1000)
    async with nats_node(nats_url) as node, nats_node(nats_url) as other:
        for subject in ("events.1", "signals.1"):
            await forge(nats_url, [(subject, each) for each in junk])
            await forge(nats_url, [(subject, seal.sign(subject, each)) for each in junk])
        other.publish([frame(1)], [signal()])
        await node.until(lambda: node.frames and node.signals)
        await node.until(lambda: rejected(node) >= 20)
        assert (node.seqs, node.signals, node.bus.state) == ([1], [signal()], "degraded")
    assert sum("dropped a bus message" in record.message for record in caplog.records) == 2  # each node says it once a minute


@pytest.mark.parametrize("seq", [2, 2**52])
async def test_a_forged_frame_reaches_nobody(nats_url: str, seq: int) -> None:
    message = wire.encode([frame(seq, block=b"forged")])
    async with nats_node(nats_url) as node, nats_node(nats_url) as other:
        await forge(nats_url, [("events.1", message), ("events.1", Seal(b"another secret").sign("events.1", message))])
        await node.until(lambda: rejected(node) == 2)
        other.publish([frame(1)], [])
        await node.until(lambda: node.frames)
        assert node.seqs == [1]


async def overhear(url: str, subject: str) -> tuple[nats.NATS, asyncio.Queue[Msg]]:
    """Everything under a subject, for somebody whom NATS lets in."""
    heard: asyncio.Queue[Msg] = asyncio.Queue()
    spy = await nats.connect(url)
    await spy.subscribe(subject, cb=heard.put)
    await spy.flush()
    return spy, heard


async def test_a_frame_under_another_subject_is_dropped(nats_url: str) -> None:
    async with nats_node(nats_url) as one, nats_node(nats_url) as two:
        spy, heard = await overhear(nats_url, "events.*")
        one.publish([frame(1)], [])
        message = await asyncio.wait_for(heard.get(), PATIENCE_SECONDS)
        await forge(nats_url, [("events.2", message.data), ("signals.1", message.data)])
        await two.until(lambda: rejected(two) == 2)
        assert two.seqs == [1]
        await spy.close()


async def test_a_signal_that_is_sent_again_is_dropped(nats_url: str) -> None:
    async with nats_node(nats_url) as one, nats_node(nats_url) as two:
        spy, heard = await overhear(nats_url, "signals.*")
        one.publish([], [signal(b"first")])
        await two.until(lambda: two.signals)
        one.publish([], [signal(b"second")])
        await two.until(lambda: len(two.signals) == 2)
        overheard = [await asyncio.wait_for(heard.get(), PATIENCE_SECONDS) for _ in range(2)]
        await forge(nats_url, [(each.subject, each.data) for each in overheard])
        await two.until(lambda: rejected(two) == 2)
        one.publish([], [signal(b"third")])
        await two.until(lambda: len(two.signals) == 3)
        assert [each.block for each in two.signals] == [b"first", b"second", b"third"]
        await spy.close()


async def test_nodes_with_different_secrets_hear_nothing_of_each_other_and_say_so(nats_url: str) -> None:
    async with nats_node(nats_url) as one, nats_node(nats_url, secret=b"another") as other:
        one.publish([frame(1)], [signal()])
        await other.until(lambda: rejected(other) == 2)
        assert (other.frames, other.signals, other.bus.state, one.bus.state) == ([], [], "degraded", "ok")


async def test_publishing_goes_on_while_nats_is_dead_and_delivery_resumes_after(own_server: Nats, caplog: pytest.LogCaptureFixture) -> None:
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
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert sum("cannot be reached" in each for each in said) == 2
    assert sum("read 1000 frames from the log" in each for each in said) == 1


async def test_the_server_starts_without_nats_and_joins_it_later(own_server: Nats) -> None:
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


async def test_a_nats_that_hangs_blocks_nobody(own_server: Nats, monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_a_stream_that_was_deleted_is_made_again(own_server: Nats, monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_a_stream_made_by_an_operator_is_used_as_it_is(own_server: Nats) -> None:
    operator = await nats.connect(own_server.url)
    await operator.jetstream().add_stream(StreamConfig(name=STREAM, subjects=["events.*"], max_age=60))
    async with nats_node(own_server.url) as one, nats_node(own_server.url) as two:
        one.publish([frame(1)], [])
        await two.until(lambda: two.seqs == [1])
    assert (await operator.jetstream().stream_info(STREAM)).config.max_age == 60
    await operator.close()


async def test_more_than_a_node_may_hold_unread_is_left_to_the_log(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_session, "MAX_RECEIVED", 3)
    async with nats_node(nats_url) as a, nats_node(nats_url) as b:
        many = [frame(1, workspace_id=number) for number in range(1, 301)]
        a.publish(many, [])
        await b.until(lambda: b.frames)
        await asyncio.sleep(0.5)
        assert 0 < len(b.frames) < len(many)
        a.publish([frame(2)], [])
        await b.until(lambda: 2 in b.seqs)
        assert [queue.depth() for queue in b.bus.queues()] == [0, 0]
