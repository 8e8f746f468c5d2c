"""The delivery protocol: whatever is lost, repeated, late or killed, every client ends with the current state.

On PostgreSQL two nodes share a database; on SQLite there is one node. Each walk consists of random steps from a seed,
and a failing walk prints its steps.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.hub.oracle import Violation
from tests.hub.server import Server

Step = tuple[Any, ...]
PEOPLE, CHATS = ("alice", "bob", "carol", "xavier"), ("c0", "c1", "c2", "d0")
WALKS, LENGTH = 12, 250
PROOF_WALKS, PROOF_LENGTH = 400, 400
_WEIGHTS = {
    "send": 18,
    "commit": 9,
    "answer": 4,
    "publish": 9,
    "deliver": 12,
    "repeat": 2,
    "lose": 2,
    "poll": 2,
    "open": 6,
    "advance_join": 8,
    "finish_join": 4,
    "connect": 4,
    "receive": 14,
    "heartbeat": 2,
    "drop": 3,
    "ask": 8,
    "take_answer": 8,
    "join": 8,
    "remove": 4,
    "leave": 2,
    "transfer": 1,
    "delete_chat": 0.3,
    "change_chat": 1,
    "archive": 1,
    "read": 3,
    "prefer": 2,
    "edit": 4,
    "delete": 2,
    "revoke": 1,
    "rename_person": 1,
    "rename_workspace": 1,
    "crash": 1,
    "prune": 0.7,
    "backup": 1,
    "restore": 1,
    "go_back": 1,
}


def random_steps(chance: random.Random, nodes: int, length: int) -> list[Step]:
    """Return the steps of a walk as data."""
    names = list(_WEIGHTS)
    if chance.random() < 0.6:
        names.remove("restore")
    if chance.random() < 0.6:
        names.remove("go_back")
    return [
        _random_step(chance, chance.choices(names, [_WEIGHTS[name] for name in names])[0], nodes) for _ in range(length)
    ]


def _random_step(chance: random.Random, name: str, nodes: int) -> Step:
    node, who, chat = (
        chance.randrange(nodes),
        chance.choices(PEOPLE, (3, 5, 5, 1))[0],
        chance.choices(CHATS, (6, 2, 2, 1))[0],
    )
    match name:
        case "send":
            return name, who, chat, f"k{chance.randrange(4)}", node, {"other": chance.random() < 0.05}
        case "commit":
            between = _random_step(
                chance, chance.choice(("join", "remove", "leave", "archive", "revoke", "delete_chat", "edit")), nodes
            )
            return name, node, between if chance.random() < 0.2 else None, {"lost": chance.random() < 0.1}
        case "publish" | "deliver" | "repeat" | "lose":
            return name, node, chance.choice((0, 0, 0, 1, 2))
        case "answer" | "poll" | "crash" | "rename_workspace":
            return name, node
        case "open" | "connect" | "ask" | "rename_person" | "revoke":
            return name, who, node
        case "receive":
            return name, who, chance.choice((1, 2, 1000))
        case "join" | "remove" | "leave" | "read" | "transfer":
            return name, who, chat, node
        case "prefer":
            return name, who, chat, node, {"starred": chance.random() < 0.5, "muted": chance.random() < 0.5}
        case "delete_chat" | "change_chat":
            return name, chat, node
        case "archive":
            return name, chat, node, {"archived": chance.random() < 0.3}
        case "edit" | "delete":
            return name, chance.randrange(20), node
        case "prune":
            return name, chance.randrange(1, 8)
        case "backup" | "restore" | "go_back":
            return (name,)
        case _:
            return name, who


async def run_walk(server: Server, seed: int, length: int) -> None:
    """Run random steps. A violation contains them."""
    todo = random_steps(random.Random(seed), server.nodes, length)
    try:
        async with server.walk() as taken:
            for step in todo:
                await taken.step(step)
    except Exception as error:
        raise Violation(f"seed {seed}: {error!r}\n{todo}") from error


@pytest.mark.parametrize("seed", range(WALKS))
async def test_clients_end_with_the_current_state_after_any_walk(server: Server, seed: int) -> None:
    await run_walk(server, seed, LENGTH)


@pytest.mark.prove
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("start", range(0, 8 * PROOF_WALKS, PROOF_WALKS))
async def test_clients_end_with_the_current_state_after_many_long_walks(server: Server, start: int) -> None:
    for seed in range(start, start + PROOF_WALKS):
        await run_walk(server, 1000 + seed, PROOF_LENGTH)
