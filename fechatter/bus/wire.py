"""The wire format between nodes: msgpack of frames, or of signals with their sender; each message is for one
workspace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from fechatter.frames import Frame, Signal

FRAME_OVERHEAD_BYTES = 128
"""An upper bound for the size of a frame's numbers, type and era, without its blocks."""

ID_BYTES = 9

Item = TypeVar("Item", Frame, Signal)


class Signals(msgspec.Struct, frozen=True, array_like=True):
    """One message of signals.

    Attributes:
        node: names the process that sent it.
        count: the process's messages, counted from 1.
        sent_at: milliseconds since the Unix epoch.
        era: the sender's era; signals of another life may belong to a copy of the database. Each start of a
            node begins an era, so the nodes of one life can have different eras.
    """

    node: str
    count: int
    sent_at: int
    era: str
    signals: Sequence[Signal]


_encoder = msgspec.msgpack.Encoder()
_frames = msgspec.msgpack.Decoder(list[Frame])
_signals = msgspec.msgpack.Decoder(Signals)


def encode(items: Sequence[Frame] | Signals) -> bytes:
    """Return the bytes of one message."""
    return _encoder.encode(items)


def decode_frames(data: bytes) -> list[Frame]:
    """Decode one message. Raises msgspec.DecodeError: the bytes are not a message of a node."""
    return _frames.decode(data)


def decode_signals(data: bytes) -> Signals:
    """Decode one message. Raises msgspec.DecodeError: the bytes are not a message of a node."""
    return _signals.decode(data)


def size_bytes(item: Frame | Signal) -> int:
    """Return an upper bound for the size of `item` on the wire."""
    more = len(item.own_block or b"") if isinstance(item, Frame) else len(item.user_ids) * ID_BYTES
    return len(item.block) + more + FRAME_OVERHEAD_BYTES


def split(items: list[Item], limit_bytes: int) -> Iterator[list[Item]]:
    """Yield the items in pieces of at most `limit_bytes`, in order. An item above the limit is left out."""
    piece: list[Item] = []
    left = limit_bytes
    for item in items:
        size = size_bytes(item)
        if size > limit_bytes:
            continue
        if size > left:
            yield piece
            piece, left = [], limit_bytes
        piece.append(item)
        left -= size
    if piece:
        yield piece
