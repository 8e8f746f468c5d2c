"""What travels between nodes: msgpack of `(epoch, [Frame …])` or `(epoch, [Signal …])`, one workspace a message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from fechatter.frames import Frame, Signal

FRAME_OVERHEAD_BYTES = 128
"""More than a frame's numbers and type need beside its blocks."""

Item = TypeVar("Item", Frame, Signal)

_encoder = msgspec.msgpack.Encoder()
_frames = msgspec.msgpack.Decoder(tuple[str, list[Frame]])
_signals = msgspec.msgpack.Decoder(tuple[str, list[Signal]])


def encode(epoch: str, items: Sequence[Frame] | Sequence[Signal]) -> bytes:
    return _encoder.encode((epoch, items))


def decode_frames(data: bytes) -> tuple[str, list[Frame]]:
    """Raises msgspec.DecodeError for any bytes that are not ours."""
    return _frames.decode(data)


def decode_signals(data: bytes) -> tuple[str, list[Signal]]:
    """Raises msgspec.DecodeError for any bytes that are not ours."""
    return _signals.decode(data)


def size_bytes(item: Frame | Signal) -> int:
    """At least what `item` needs on the wire."""
    own = item.own_block if isinstance(item, Frame) else None
    return len(item.block) + len(own or b"") + FRAME_OVERHEAD_BYTES


def split(items: list[Item], limit_bytes: int) -> Iterator[list[Item]]:
    """The items in pieces of at most `limit_bytes`, in their order; one above it is left out."""
    piece: list[Item] = []
    room = limit_bytes
    for item in items:
        size = size_bytes(item)
        if size > limit_bytes:
            continue
        if size > room:
            yield piece
            piece, room = [], limit_bytes
        piece.append(item)
        room -= size
    if piece:
        yield piece
