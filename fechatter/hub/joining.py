"""What a connecting listener reads, all in one snapshot: session, rights, head, floor, and what it missed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fechatter.errors import Gone, Unauthorized
from fechatter.frames import Frame, control_block
from fechatter.hub.listener import Reader
from fechatter.model import Actor, Position, Role, SessionId
from fechatter.settings import Settings
from fechatter.storage import events, members, read_marks, rights
from fechatter.storage.engines.base import Transaction


class Start(msgspec.Struct, frozen=True):
    """How a stream begins.

    Attributes:
        chats: the chats whose events are shown from `head` on.
        blocks: hello, then what was missed and `resumed`, or `reset`.
    """

    reader: Reader
    head: int
    chats: Sequence[int]
    blocks: list[bytes]


class Missed(msgspec.Struct, frozen=True):
    """The events between a cursor and the head, or why they cannot be had."""

    frames: list[Frame]
    reset: str | None = None


async def begin(tx: Transaction, session_id: SessionId, cursor: Position | None, settings: Settings) -> Start:
    """Raises Unauthorized when the session has ended."""
    actor = await rights.actor(tx, session_id)
    if actor is None:
        raise Unauthorized("The session has ended.", code="session_ended")
    position = await events.heads(tx, actor.workspace_id)
    chats = await members.chat_ids_of(tx, actor.user_id)
    reader = Reader(actor.user_id, actor.workspace_id, session_id, actor.role is Role.GUEST)
    here = Position(tx.epoch, position.head)
    if cursor is None:
        return Start(reader, position.head, chats, [_hello(here, here, session_id, settings)])
    found = await missed(tx, actor, cursor, position, settings.replay_events, settings)
    if found.reset is not None:
        reset = control_block("reset", {"reason": found.reset, "epoch": tx.epoch, "head": position.head}, here)
        return Start(reader, position.head, chats, [_hello(here, None, session_id, settings), reset])
    blocks = [_hello(here, cursor, session_id, settings)]
    blocks += [frame.block_for(actor.user_id) for frame in found.frames]
    reads = [{"chat_id": chat_id, "last_read_number": number} for chat_id, number in await read_marks.of(tx, actor.user_id)]
    blocks.append(control_block("resumed", {"from": str(cursor), "to": str(here), "reads": reads}, here))
    return Start(reader, position.head, chats, blocks)


def _hello(here: Position, delivered: Position | None, session_id: SessionId, settings: Settings) -> bytes:
    """`delivered` is the position up to which everything was delivered: the cursor when something is still to come."""
    data = {
        "epoch": here.epoch,
        "head": here.seq,
        "heartbeat_seconds": settings.heartbeat_seconds,
        "session_id": session_id,
    }
    return control_block("hello", data, delivered)


async def missed(tx: Transaction, actor: Actor, cursor: Position, position: events.Heads, limit: int, settings: Settings) -> Missed:
    """At most `limit` events after the cursor, all or nothing."""
    reason = reset_reason(tx.epoch, cursor, position, settings)
    if reason is not None:
        return Missed([], reason)
    guest = actor.role is Role.GUEST
    frames = await events.load_visible(tx, actor.workspace_id, cursor.seq, position.head, actor.user_id, guest=guest, limit=limit + 1)
    return Missed([], "too_many") if len(frames) > limit else Missed(frames)


def reset_reason(epoch: str, cursor: Position, position: events.Heads, settings: Settings) -> str | None:
    """Why a cursor cannot be continued from, or None."""
    if cursor.epoch != epoch:
        return "epoch"
    if cursor.seq > position.head:
        return "ahead"
    if cursor.seq < position.floor:
        return "pruned"
    return "too_many" if position.head - cursor.seq > settings.replay_scan_events else None


async def page(tx: Transaction, actor: Actor, cursor: Position, limit: int, settings: Settings) -> tuple[list[Frame], Position, bool]:
    """For programs that poll: up to `limit` events after the cursor, the position reached, and whether there are more.

    Raises:
        Gone: `reset`, with the position to go on from after a reload.
    """
    position = await events.heads(tx, actor.workspace_id)
    reason = reset_reason(tx.epoch, cursor, position, settings)
    if reason is not None:
        raise Gone("Load everything anew.", reason=reason, epoch=tx.epoch, head=position.head)
    guest = actor.role is Role.GUEST
    frames = await events.load_visible(tx, actor.workspace_id, cursor.seq, position.head, actor.user_id, guest=guest, limit=limit + 1)
    more = len(frames) > limit
    reached = frames[limit - 1].seq if more else position.head
    return frames[:limit], Position(tx.epoch, reached), more
