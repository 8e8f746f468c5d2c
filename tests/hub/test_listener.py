"""A listener sends everything that waits in one write, and is closed with a reason if it cannot keep up."""

from __future__ import annotations

import asyncio
import time

import pytest

from fechatter.hub.listener import (
    BLOCKED_SECONDS,
    MAX_BYTES,
    MAX_EVENTS,
    SLOW_BYTES,
    SLOW_EVENTS,
    Listener,
    Reader,
)
from fechatter.hub.states import MAX_JOINING_SIGNALS, CloseReason, Live, Replaying
from fechatter.model import Position, SessionId, UserId, WorkspaceId
from fechatter.native import Streams


@pytest.fixture
def listener() -> Listener:
    return Listener(Reader(UserId(1), WorkspaceId(1), SessionId(1)), Streams(MAX_EVENTS, MAX_BYTES).open())


def begin_blocked_write(listener: Listener) -> float:
    """Begin a write and return a time at which it counts as blocked."""
    listener.write_started()
    return time.monotonic() + BLOCKED_SECONDS + 0.1


async def test_all_waiting_blocks_are_sent_in_one_write(listener: Listener) -> None:
    for block in (b"one\n\n", b"two\n\n", b"three\n\n"):
        listener.offer(block)
    await listener.wait(10)
    assert listener.take() == b"one\n\ntwo\n\nthree\n\n"
    assert listener.take() == b""
    assert listener.pending_bytes == 0


async def test_a_waiting_writer_is_woken_by_a_block_by_a_close_and_by_a_timeout(listener: Listener) -> None:
    waiting = asyncio.create_task(listener.wait(10))
    await asyncio.sleep(0)
    listener.offer(b"block")
    await waiting
    assert listener.take() == b"block"
    await listener.wait(0.001)
    assert listener.take() == b""
    waiting = asyncio.create_task(listener.wait(10))
    await asyncio.sleep(0)
    listener.close(CloseReason.SHUTDOWN)
    await waiting


@pytest.mark.parametrize(("count", "size"), [(SLOW_EVENTS + 1, 1), (2, SLOW_BYTES)])
def test_a_blocked_socket_with_too_much_pending_is_closed_as_slow(listener: Listener, count: int, size: int) -> None:
    ended: list[bool] = []
    listener.on_abort(lambda: ended.append(True))
    now = begin_blocked_write(listener)
    for _ in range(count):
        listener.offer(b"x" * size)
    listener.check_pace(time.monotonic())
    assert listener.closed is None
    listener.check_pace(now)
    assert [listener.closed] == [CloseReason.SLOW]
    assert ended == [True]
    listener.offer(b"more")
    assert listener.pending == count


def test_a_socket_that_reads_is_never_slow(listener: Listener) -> None:
    now = begin_blocked_write(listener)
    listener.write_ended()
    for _ in range(SLOW_EVENTS * 4):
        listener.offer(b"x" * 4096)
    listener.check_pace(now)
    assert listener.closed is None


def test_a_blocked_socket_with_little_pending_stays_open(listener: Listener) -> None:
    now = begin_blocked_write(listener)
    listener.offer(b"x")
    listener.check_pace(now)
    assert listener.closed is None


def test_a_blocked_write_is_aborted_once_the_listener_is_closed(listener: Listener) -> None:
    ended: list[bool] = []
    listener.on_abort(lambda: ended.append(True))
    now = begin_blocked_write(listener)
    listener.close(CloseReason.REVOKED)
    listener.check_pace(now)
    assert (listener.closed, ended) == (CloseReason.REVOKED, [True])


def test_a_signal_during_the_reading_of_the_log_follows_what_was_read(listener: Listener) -> None:
    listener.offer_signal(b"before")
    joining = listener.join()
    listener.offer_signal(b"newer")
    for _ in range(MAX_JOINING_SIGNALS):
        listener.offer_signal(b"too many")
    assert len(joining.signals) == MAX_JOINING_SIGNALS
    joining.signals[1:] = []
    listener.offer(b"read")
    listener.go_live(Live(Position("era", 3)))
    assert listener.take() == b"readnewer"


def test_a_signal_between_two_pieces_of_a_replay_is_dropped(listener: Listener) -> None:
    listener.pause_replay(Replaying(Position("era", 1), Position("era", 2)))
    listener.offer_signal(b"included in what is read later")
    assert listener.take() == b""


def test_a_lagging_listener_loses_ephemeral_signals_first(listener: Listener) -> None:
    listener.go_live(Live(Position("era", 3)))
    for _ in range(SLOW_EVENTS + 1):
        listener.offer(b"durable")
    listener.offer_signal(b"ephemeral")
    assert b"ephemeral" not in listener.take()
    listener.offer_signal(b"ephemeral")
    assert listener.take() == b"ephemeral"


@pytest.mark.parametrize(("most_events", "most_bytes"), [(10, 10**9), (10**9, 100)])
def test_pending_data_is_limited_before_the_socket_counts_as_blocked(
    listener: Listener, most_events: int, most_bytes: int
) -> None:
    listener.stream = Streams(most_events, most_bytes).open()
    for _ in range(11):
        assert listener.closed is None
        listener.offer(b"x" * 10)
    assert listener.closed is CloseReason.SLOW


def test_the_first_close_reason_is_kept(listener: Listener) -> None:
    listener.close(CloseReason.REVOKED)
    listener.close(CloseReason.SLOW)
    assert listener.closed is CloseReason.REVOKED
