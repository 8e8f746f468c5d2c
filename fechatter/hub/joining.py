"""The reads of a connecting listener, all in one snapshot: session, rights, head, floor, and missed events."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fechatter.errors import Gone, Unauthorized
from fechatter.frames import Frame, control_block
from fechatter.hub.listener import Reader
from fechatter.hub.states import Replaying
from fechatter.model import Actor, Position, SessionId
from fechatter.rights.workspace import sees_only_met
from fechatter.settings import Settings
from fechatter.storage import eras, events, members, read_marks, rights
from fechatter.storage.engines.base import Transaction

PIECE_BYTES = 1024 * 1024
"""Maximum size of a piece of a replay, or of a page for a polling client."""
READ_EVENTS = 100
"""Maximum number of events in one read of the log."""


class Start(msgspec.Struct, frozen=True):
    """How a stream begins, or continues with its replay.

    Attributes:
        reader: the reader with the current role.
        head: the head of the log in the snapshot.
        chats: the ids of the chats whose events are shown after `head`.
        blocks: `hello`, then the missed events and `resumed`, or `reset`.
        replay: set if the blocks are only a piece of the missed events. The stream is not live yet then.
    """

    reader: Reader
    head: Position
    chats: Sequence[int]
    blocks: list[bytes]
    replay: Replaying | None = None


class Missed(msgspec.Struct, frozen=True):
    """A piece of the events between a cursor and the head.

    Attributes:
        more: whether the log has more events before the head.
        reset: the reason why the replay cannot continue from the cursor, or None.
    """

    frames: list[Frame]
    more: bool = False
    reset: str | None = None


async def begin(
    tx: Transaction, reader: Reader, cursor: Position | None, seen: Sequence[Position], settings: Settings
) -> Start:
    """Begin a stream; `seen` are positions in the client's responses.

    Raises Unauthorized: the session has ended, or belongs to another person.
    """
    actor, reader = await _actor(tx, reader)
    position = await events.heads(tx, actor.workspace_id)
    here = position.position
    if cursor is None:
        return await _start(tx, reader, here, [_hello(here, here, reader.session_id, settings)])
    found = (
        Missed([], reset="epoch")
        if await lost(tx, actor, seen, position)
        else await missed(tx, actor, cursor, position, settings)
    )
    hello = _hello(here, cursor if found.reset is None else None, reader.session_id, settings)
    return await _replay(tx, reader, here, Replaying(cursor, cursor), found, [hello])


async def go_on(tx: Transaction, reader: Reader, replay: Replaying, settings: Settings) -> Start:
    """Read the next piece of a replay, as if the client had reconnected with its new cursor. Raises Unauthorized."""
    actor, reader = await _actor(tx, reader)
    position = await events.heads(tx, actor.workspace_id)
    found = await missed(tx, actor, replay.reached, position, settings, begun=True)
    return await _replay(tx, reader, position.position, replay, found, [])


async def _actor(tx: Transaction, reader: Reader) -> tuple[Actor, Reader]:
    """Return the reader's person, and the reader with the current role and preference. Raises Unauthorized."""
    found = await rights.actor_and_preference(tx, reader.session_id)
    if found is None or (found[0].user_id, found[0].workspace_id) != (reader.user_id, reader.workspace_id):
        raise Unauthorized("The session has ended.", code="session_ended")
    actor, shows_presence = found
    guest = sees_only_met(actor.role)
    return actor, msgspec.structs.replace(reader, guest=guest, shows_presence=shows_presence)


async def _start(
    tx: Transaction, reader: Reader, here: Position, blocks: list[bytes], replay: Replaying | None = None
) -> Start:
    return Start(reader, here, await members.chat_ids_of(tx, reader.user_id), blocks, replay)


async def _replay(
    tx: Transaction, reader: Reader, here: Position, replay: Replaying, found: Missed, blocks: list[bytes]
) -> Start:
    """Append the found events, or `reset`, to `blocks`; the last piece ends with `resumed`."""
    if found.reset is not None:
        reset = control_block("reset", {"reason": found.reset, "epoch": here.era, "head": here.seq}, here)
        return await _start(tx, reader, here, [*blocks, reset])
    blocks += [frame.block_for(reader.user_id) for frame in found.frames]
    if found.more:
        reached = Position(found.frames[-1].era, found.frames[-1].seq)
        return await _start(tx, reader, here, blocks, Replaying(replay.start, reached))
    reads = msgspec.to_builtins(await read_marks.of(tx, reader.user_id, here.seq))
    blocks.append(control_block("resumed", {"from": str(replay.start), "to": str(here), "reads": reads}, here))
    return await _start(tx, reader, here, blocks)


def _hello(here: Position, delivered: Position | None, session_id: SessionId, settings: Settings) -> bytes:
    """Return the first block.

    Args:
        delivered: the position up to which everything was delivered, which is the cursor if there are missed events.
    """
    data = {
        "epoch": here.era,
        "head": here.seq,
        "heartbeat_seconds": settings.heartbeat_seconds,
        "session_id": session_id,
    }
    return control_block("hello", data, delivered)


async def missed(
    tx: Transaction, actor: Actor, cursor: Position, position: events.Heads, settings: Settings, *, begun: bool = False
) -> Missed:
    """Read the first piece of the events after the cursor, or none if there are too many events.

    Args:
        begun: whether a piece was sent already; the rest is then not counted again.
    """
    reason = reset_reason(await eras.at(tx, actor.workspace_id, cursor.seq), cursor, position, settings)
    if reason is not None:
        return Missed([], reset=reason)
    limit = settings.replay_events
    frames, more = await _piece(tx, actor, cursor.seq, position.head, limit)
    if more and not begun and await _more_than(tx, actor, frames[-1].seq, position.head, limit - len(frames)):
        return Missed([], reset="too_many")
    return Missed(frames, more)


async def _piece(tx: Transaction, actor: Actor, after: int, upto: int, most_events: int) -> tuple[list[Frame], bool]:
    """Read the events after+1 … upto that the actor may see: one piece, at least one event. Returns them, and whether
    there are more."""
    frames: list[Frame] = []
    size = 0
    while True:
        read = await _visible(tx, actor, after, upto, READ_EVENTS)
        for frame in read:
            size += len(frame.block_for(actor.user_id))
            if len(frames) == most_events or (frames and size > PIECE_BYTES):
                return frames, True
            frames.append(frame)
        if len(read) < READ_EVENTS:
            return frames, False
        after = read[-1].seq
        await tx.pause()


async def _more_than(tx: Transaction, actor: Actor, after: int, upto: int, count: int) -> bool:
    """Whether the actor may see more than `count` of the events after+1 … upto."""
    while read := await _visible(tx, actor, after, upto, min(READ_EVENTS, count + 1)):
        count, after = count - len(read), read[-1].seq
        if count < 0:
            return True
    return False


async def _visible(tx: Transaction, actor: Actor, after: int, upto: int, limit: int) -> list[Frame]:
    guest = sees_only_met(actor.role)
    return await events.load_visible(tx, actor.workspace_id, after, upto, actor.user_id, guest=guest, limit=limit)


async def lost(tx: Transaction, actor: Actor, seen: Sequence[Position], position: events.Heads) -> bool:
    """Whether the log lost one of the positions `seen`: a response has shown the client events that were lost."""
    for each in seen:
        if each.seq > position.head:
            return True
        if each.seq >= position.floor and await eras.at(tx, actor.workspace_id, each.seq) != each.era:
            return True
    return False


def reset_reason(era: str | None, cursor: Position, position: events.Heads, settings: Settings) -> str | None:
    """Return the reason why a replay cannot continue from the cursor, or None.

    Args:
        era: the era of the cursor's number in this log; None if the log does not reach back that far.
    """
    if cursor.seq > position.head:
        return "ahead" if cursor.era == position.current_era else "epoch"
    if cursor.seq < position.floor and era is None:
        return "pruned"
    if cursor.era != era:
        return "epoch"
    if cursor.seq < position.floor:
        return "pruned"
    return "too_many" if position.head - cursor.seq > settings.replay_scan_events else None


async def page(
    tx: Transaction, actor: Actor, cursor: Position, seen: Sequence[Position], limit: int, settings: Settings
) -> tuple[list[Frame], Position, bool]:
    """Read a page for a polling client: at most `limit` events and at most one piece.

    Returns the events, the position that was reached, and whether there are more.

    Raises:
        Gone: `reset`, with the position from which to continue after a reload.
    """
    position = await events.heads(tx, actor.workspace_id)
    reason = reset_reason(await eras.at(tx, actor.workspace_id, cursor.seq), cursor, position, settings)
    if reason is None and await lost(tx, actor, seen, position):
        reason = "epoch"
    if reason is not None:
        raise Gone("Load everything again.", reason=reason, epoch=position.era, head=position.head)
    frames, more = await _piece(tx, actor, cursor.seq, position.head, limit)
    return frames, Position(frames[-1].era, frames[-1].seq) if more else position.position, more
