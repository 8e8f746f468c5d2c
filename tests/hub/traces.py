"""Steps that the traces of delivery share. `NEAR` is the node of bob's stream, `far` another one if there are two."""

from __future__ import annotations

from tests.hub.walk import Walk

NEAR = 0


def far(walk: Walk) -> int:
    return len(walk.nodes) - 1


async def follow(walk: Walk, who: str, node: int = NEAR) -> None:
    """Open a stream and load everything."""
    await walk.connect(who, node)
    await walk.load(who, node)


async def lose_commit(walk: Walk) -> None:
    """Lose the far node's commit.

    A second node crashes before it publishes. Of a single node, the bus loses the frames.
    """
    if far(walk) != NEAR:
        await walk.crash(far(walk))
        return
    walk.nodes[NEAR].publish_all()
    while walk.bus.waiting[NEAR]:
        walk.bus.lose(NEAR)


async def send(walk: Walk, key: str, node: int = NEAR, chat: str = "c0") -> None:
    """Send as alice. The message is stored and answered, but not published yet."""
    await walk.send("alice", chat, key, node)
    await walk.commit(node)
    await walk.answer(node)
    assert ("alice", chat, key) in walk.acknowledged


async def deliver_to(walk: Walk, who: str, node: int = NEAR) -> None:
    """Deliver everything to the node and then to the client."""
    walk.nodes[node].publish_all()
    walk.bus.deliver_all(node)
    await walk.receive(who)


def contents(walk: Walk, who: str) -> list[str]:
    """Return the contents of the messages that the stream has shown, in order."""
    events = [event for _, event in sorted(walk.clients[who].received.items())]
    return [event["data"]["message"]["content"] for event in events if "message" in event["data"]]


def kinds(walk: Walk, who: str) -> list[str]:
    return [event["type"] for _, event in sorted(walk.clients[who].received.items())]
