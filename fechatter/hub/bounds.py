"""The bounded queues of the hub. If there are many of one kind, the fullest counts."""

from __future__ import annotations

from collections.abc import Callable, Collection

from fechatter.hub.listener import MAX_BYTES, MAX_EVENTS, MAX_STALLED_BYTES, Listener
from fechatter.hub.sequencer import MAX_HELD
from fechatter.hub.states import MAX_JOINING_FRAMES, MAX_RECEIVED
from fechatter.hub.workspace_feed import WorkspaceFeed
from fechatter.native import Streams
from fechatter.queues import Queue


def queues(feeds: Callable[[], Collection[WorkspaceFeed]], native: Streams) -> list[Queue]:
    """Return the queues of the listeners and of the feeds. `feeds` returns those that exist now."""

    def most(count: Callable[[Listener], int]) -> int:
        return max((count(listener) for feed in feeds() for listener in feed.listeners), default=0)

    def most_held() -> int:
        return max((feed.sequencer.held for feed in feeds()), default=0)

    closed, again = "closed with `slow`, resumes from its cursor", "the replay is read again"
    worst = "the stream with the most waiting bytes is closed with `slow`"
    return [
        Queue("listener_events", MAX_EVENTS, "events", closed, lambda: most(lambda one: one.pending)),
        Queue("stalled_bytes", MAX_STALLED_BYTES, "bytes", worst, lambda: native.stalled_bytes),
        Queue("listener_bytes", MAX_BYTES, "bytes", closed, lambda: most(lambda one: one.pending_bytes)),
        Queue("client_messages", MAX_RECEIVED, "messages", "not read", lambda: most(lambda one: one.stream.received)),
        Queue("joining", MAX_JOINING_FRAMES, "events", again, lambda: most(lambda one: one.held)),
        Queue("held", MAX_HELD, "events", "read from the log", most_held),
    ]
