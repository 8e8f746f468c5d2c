"""A walk is its steps and nothing else: what a test of the protocol finds must come again from the same steps."""

from __future__ import annotations

import time

from tests.hub.server import Server

BUSY_SECONDS = 0.02


async def test_a_message_is_stored_by_the_next_commit_and_never_by_one_before(server: Server) -> None:
    async with server.walk() as walk:
        node = walk.nodes[0]
        node.real.writer.run_soon(lambda: time.sleep(BUSY_SECONDS))
        await walk.commit()
        await walk.send("alice", "c0", "k")
        await node.desk.turn()
        await walk.answer()
        assert walk.acknowledged == {}
        await walk.commit()
        await walk.answer()
        assert len(walk.acknowledged) == 1
