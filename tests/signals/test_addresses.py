"""A signal reaches the listeners to whom it is addressed, on this node and on the others, and nobody else."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fechatter.bus import wire
from fechatter.frames import Signal
from fechatter.hub.joining import Start
from fechatter.hub.listener import MAX_BYTES, MAX_EVENTS, SIGNAL_BYTES, SIGNAL_EVENTS, SLOW_EVENTS, Listener, Reader
from fechatter.hub.workspace_feed import WorkspaceFeed
from fechatter.model import Position, SessionId, UserId, WorkspaceId
from fechatter.native import Streams

WORKSPACE = WorkspaceId(1)
HERE = Position("era", 3)
IDS = st.integers(0, 2**53 - 1)
SIGNALS = st.builds(
    Signal,
    workspace_id=IDS.map(WorkspaceId),
    user_id=IDS,
    block=st.binary(max_size=300),
    chat_id=IDS,
    except_user_id=IDS,
    user_ids=st.lists(IDS, max_size=50).map(tuple),
    kind=st.sampled_from(["", "typing", "receipt", "of a later version"]),
)


class Feed:
    """A feed with live listeners: each person has one, in the given chats."""

    def __init__(self, **chats: list[int]) -> None:
        native = Streams(MAX_EVENTS, MAX_BYTES)
        self.feed = WorkspaceFeed(WORKSPACE, HERE, "era", native)
        self.listeners: dict[str, Listener] = {}
        for number, (name, joined) in enumerate(chats.items(), 1):
            listener = Listener(Reader(UserId(number), WORKSPACE, SessionId(number)), native.open())
            self.feed.attach(listener)
            self.feed.begin(listener, Start(listener.reader, HERE, joined, []))
            self.listeners[name] = listener

    def shown(self, signal: Signal) -> list[str]:
        """Pass the signal; return who received it."""
        self.feed.signal(signal)
        return [name for name, listener in self.listeners.items() if listener.take()]


def test_a_signal_reaches_a_person_several_people_or_a_chat_without_one_person() -> None:
    feed = Feed(ada=[7, 8], bob=[7], carol=[8], dan=[])
    assert feed.shown(Signal(WORKSPACE, 2, b"x")) == ["bob"]
    assert feed.shown(Signal.for_people(WORKSPACE, [1, 4, 99], b"x")) == ["ada", "dan"]
    assert feed.shown(Signal.for_chat(WORKSPACE, 7, b"x")) == ["ada", "bob"]
    assert feed.shown(Signal.for_chat(WORKSPACE, 8, b"x", except_user_id=1)) == ["carol"]
    assert feed.shown(Signal.for_chat(WORKSPACE, 9, b"x")) == []
    assert feed.shown(Signal.for_people(WORKSPACE, [], b"x")) == []


def test_a_listener_that_left_receives_no_signal() -> None:
    feed = Feed(ada=[7], bob=[7])
    feed.feed.detach(feed.listeners["bob"])
    assert feed.shown(Signal.for_chat(WORKSPACE, 7, b"x")) == ["ada"]
    assert feed.shown(Signal(WORKSPACE, 2, b"x")) == []


def test_signals_alone_never_make_a_listener_slow() -> None:
    for size in (1, SIGNAL_BYTES // 4):
        feed = Feed(ada=[7])
        ada = feed.listeners["ada"]
        for _ in range(SLOW_EVENTS * 2):
            feed.feed.signal(Signal.for_chat(WORKSPACE, 7, bytes(size)))
        assert ada.pending <= SIGNAL_EVENTS
        ada.close_if_slow()
        assert ada.closed is None
        ada.offer(b"durable")
        assert b"".join(iter(ada.take, b"")).endswith(b"durable")


@given(st.lists(SIGNALS, max_size=10))
def test_the_bus_carries_the_whole_address(signals: list[Signal]) -> None:
    message = wire.Signals("node", 1, 2, "era", signals)
    assert wire.decode_signals(wire.encode(message)).signals == signals


@given(SIGNALS)
def test_the_size_on_the_bus_is_bounded(signal: Signal) -> None:
    assert len(wire.encode(wire.Signals("", 0, 0, "", [signal]))) <= wire.size_bytes(signal) + 16


def test_nodes_of_an_earlier_version_show_a_signal_only_to_its_person() -> None:
    class Earlier(msgspec.Struct, array_like=True):
        workspace_id: int
        user_id: int
        block: bytes

    for signal, person in ((Signal.for_chat(WORKSPACE, 7, b"x", except_user_id=5), 0), (Signal(WORKSPACE, 5, b"x"), 5)):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(signal), type=Earlier).user_id == person
    earlier = msgspec.msgpack.encode(Earlier(1, 5, b"x"))
    assert msgspec.msgpack.decode(earlier, type=Signal) == Signal(WORKSPACE, 5, b"x")
