"""Messages on NATS that no node of this server sent, or that were sent before."""

import asyncio

import nats
import pytest
from nats.aio.msg import Msg

from fechatter.bus import wire
from fechatter.bus.seal import Seal
from tests.bus.nodes import SECRET, Node, frame, nats_node, signal
from tests.servers.process import PATIENCE_SECONDS


def rejected(node: Node) -> int:
    return node.bus.rejected


async def forge(url: str, messages: list[tuple[str, bytes]]) -> None:
    """Send messages as a stranger who can connect to NATS."""
    stranger = await nats.connect(url)
    for subject, data in messages:
        await stranger.publish(subject, data)
    await stranger.close()


async def test_invalid_messages_are_dropped_and_counted(nats_url: str, caplog: pytest.LogCaptureFixture) -> None:
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
    # Each node logs this once a minute.
    assert sum("dropped a bus message" in record.message for record in caplog.records) == 2


@pytest.mark.parametrize("seq", [2, 2**52])
async def test_a_forged_frame_is_not_delivered(nats_url: str, seq: int) -> None:
    message = wire.encode([frame(seq, block=b"forged")])
    async with nats_node(nats_url) as node, nats_node(nats_url) as other:
        await forge(nats_url, [("events.1", message), ("events.1", Seal(b"another secret").sign("events.1", message))])
        await node.until(lambda: rejected(node) == 2)
        other.publish([frame(1)], [])
        await node.until(lambda: node.frames)
        assert node.seqs == [1]


async def overhear(url: str, subject: str) -> tuple[nats.NATS, asyncio.Queue[Msg]]:
    """Receive everything under a subject, as a stranger who can connect to NATS."""
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


async def test_a_repeated_signal_is_dropped(nats_url: str) -> None:
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


async def test_nodes_with_different_secrets_reject_each_others_messages(nats_url: str) -> None:
    async with nats_node(nats_url) as one, nats_node(nats_url, secret=b"another") as other:
        one.publish([frame(1)], [signal()])
        await other.until(lambda: rejected(other) == 2)
        assert (other.frames, other.signals, other.bus.state, one.bus.state) == ([], [], "degraded", "ok")
