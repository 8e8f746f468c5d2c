"""A walk depends only on its steps, so that the steps of a failing walk reproduce the failure."""

from __future__ import annotations

import time

from tests.hub.server import Server

BUSY_SECONDS = 0.02


async def test_a_message_is_stored_by_the_next_commit_and_never_earlier(server: Server) -> None:
    async with server.walk() as walk:
        node = walk.nodes[0]
        node.real.writer.run_soon(lambda: time.sleep(BUSY_SECONDS))
        await walk.commit()
        await walk.send("alice", "c0", "k")
        await node.writer_node.turn()
        await walk.answer()
        assert walk.acknowledged == {}
        await walk.commit()
        await walk.answer()
        assert len(walk.acknowledged) == 1
