"""The feed of one workspace on this node: it decides which frames each listener receives.

Frames arrive in the order of their numbers. Membership events move listeners between the chats' lanes as they pass, and
a change of a person's role changes what the person sees of others. So each frame is shown with the rights that the
listener had at the frame's number, not with its current rights. The lanes are native (`native/src/hub/lanes.rs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import orjson

from fechatter.events import EventType, Visibility, types_visible_to
from fechatter.frames import Frame, Signal, block_json
from fechatter.hub.joining import Start
from fechatter.hub.listener import Listener
from fechatter.hub.sequencer import Sequencer
from fechatter.hub.states import CloseReason, Joining, Live
from fechatter.model import Position, Role
from fechatter.native import Streams
from fechatter.rights.workspace import sees_only_met

Prefer = Callable[[int, bool], None]
PERSONAL = frozenset(types_visible_to(Visibility.PERSON))
APART = PERSONAL | {EventType.MEMBER_JOINED, EventType.MEMBER_LEFT, EventType.CHAT_DELETED}
"""The events of chats that the lane does not simply show to its listeners."""


class WorkspaceFeed:
    """The listeners and the sequencer of one workspace.

    Args:
        position: the head of the workspace's log when the feed was opened.
        era: the era that was current then.
        streams: the native lanes.
        prefer: called with a person on this node who shows presence, or no longer.
    """

    def __init__(
        self, workspace_id: int, position: Position, era: str, streams: Streams, prefer: Prefer | None = None
    ) -> None:
        self.workspace_id = workspace_id
        self._prefer = prefer
        self._streams = streams
        self.sequencer = Sequencer(position, era)
        self._joining: set[Listener] = set()
        self._by_user: dict[int, tuple[Listener, ...]] = {}
        self._live = Live(position)

    @property
    def listeners(self) -> list[Listener]:
        """Every listener of the workspace."""
        return [listener for own in self._by_user.values() for listener in own]

    @property
    def is_empty(self) -> bool:
        return not self._by_user

    def attach(self, listener: Listener) -> Joining:
        """Add a listener whose replay is being read. Its frames are kept until `begin`."""
        self._joining.add(listener)
        own = self._own(listener.reader.user_id)
        if listener not in own:
            self._by_user[listener.reader.user_id] = (*own, listener)
        return listener.join()

    def begin(self, listener: Listener, start: Start) -> None:
        """Queue the blocks that were read. Show live frames from now on, unless the log has more of the replay."""
        if listener.reader != start.reader:
            listener.reader = start.reader
        self._joining.discard(listener)
        for block in start.blocks:
            listener.offer(block)
        if start.replay is not None:
            listener.pause_replay(start.replay)
            return
        if self._live.since != start.head:
            self._live = Live(start.head)
        held = listener.go_live(self._live)  # listeners share the object
        self._streams.enter(start.chats, listener.stream, listener.after)
        for frame in held:
            self._show_to(listener, frame)

    def suspend(self, listener: Listener) -> None:
        """Show a live listener nothing until it is attached again."""
        self._streams.leave_all(listener.stream)

    def detach(self, listener: Listener) -> None:
        """Remove a listener; nothing happens if it was removed already."""
        self._joining.discard(listener)
        own = tuple(each for each in self._own(listener.reader.user_id) if each is not listener)
        if own:
            self._by_user[listener.reader.user_id] = own
        else:
            self._by_user.pop(listener.reader.user_id, None)
        self._streams.leave_all(listener.stream)

    def of_session(self, user_id: int, session_id: int) -> list[Listener]:
        """Return the listeners of a session."""
        return [each for each in self._by_user.get(user_id, ()) if each.reader.session_id == session_id]

    def streams_of(self, user_id: int) -> int:
        """Return the number of the person's listeners."""
        return len(self._own(user_id))

    def _own(self, user_id: int | None) -> tuple[Listener, ...]:
        return self._by_user.get(user_id or 0, ())

    def restart(self, position: Position, era: str) -> None:
        """Continue from another position, because the log does not contain the current one; live listeners get `reset`.

        A listener that is joining detects the change itself (`Hub._join`).
        """
        lost = self.sequencer.place
        self.sequencer = Sequencer(position, era)
        for listener in self.listeners:
            if isinstance(listener.state, Live):
                self._streams.leave_all(listener.stream)
                listener.reset(lost)

    def receive(self, frames: Iterable[Frame]) -> None:
        """Show frames from the bus, each when its turn comes."""
        self._pass(self.sequencer.accept(frames))

    def fill(self, frames: Iterable[Frame]) -> None:
        """Show frames from the log, each when its turn comes."""
        self._pass(self.sequencer.fill(frames))

    def _pass(self, frames: Iterable[Frame]) -> None:
        """Show frames in the order of their numbers. Successive events of chats are published in one call."""
        published: list[tuple[int, int, bytes]] = []
        for frame in frames:
            for listener in self._joining:
                if isinstance(listener.state, Joining):
                    listener.state.hold(frame)
            if frame.chat_id is not None and frame.type not in APART:
                published.append((frame.chat_id, frame.seq, frame.block))
                continue
            if published:
                self._streams.publish(published)
                published = []
            self._show(frame)
        if published:
            self._streams.publish(published)

    def signal(self, signal: Signal) -> None:
        """Queue a signal for the listeners to whom it is addressed: one call for a chat, however many it has."""
        if signal.chat_id:
            apart = [listener.stream for listener in self._own(signal.except_user_id)]
            self._streams.signal(signal.chat_id, signal.block, apart)
            return
        for user_id in signal.people:
            for listener in self._own(user_id):
                listener.offer_signal(signal.block)

    def close(self, reason: CloseReason) -> None:
        """Close all listeners of the workspace."""
        for listener in self.listeners:
            listener.close(reason)

    def _show(self, frame: Frame) -> None:
        """Show a frame that is not the same for all listeners of a chat, or that moves listeners between lanes."""
        own = self._own(frame.user_id)
        if frame.chat_id is None:
            for listener in own if _is_personal(frame) else self.listeners:
                self._show_to(listener, frame)
            return
        for listener in own:
            self._show_to(listener, frame)
        if not _is_personal(frame):
            self._streams.publish([(frame.chat_id, frame.seq, frame.block)])  # those in `own` have seen it
        if frame.type is EventType.CHAT_DELETED:
            self._streams.remove_chat(frame.chat_id)

    def _show_to(self, listener: Listener, frame: Frame) -> None:
        """Show a frame to a listener if it may see the frame, and move it between lanes."""
        if not isinstance(listener.state, Live) or listener.after >= frame.seq:
            return
        own = frame.user_id == listener.reader.user_id
        if _is_personal(frame) and not own:
            return
        chat_id = frame.chat_id
        if chat_id is None:
            self._show_person(listener, frame, own=own)
            return
        if own and frame.type is EventType.MEMBER_JOINED:
            self._streams.enter([chat_id], listener.stream, listener.after)
        self._streams.show(chat_id, frame.seq, frame.block_for(listener.reader.user_id), listener.stream)
        if (own and frame.type is EventType.MEMBER_LEFT) or frame.type is EventType.CHAT_DELETED:
            self._streams.leave(chat_id, listener.stream)

    def _show_person(self, listener: Listener, frame: Frame, *, own: bool) -> None:
        if frame.type is EventType.SESSION_REVOKED:
            if frame.session_id == listener.reader.session_id:
                listener.close(CloseReason.REVOKED)
            return
        if own or frame.user_id is None or not listener.reader.guest:
            listener.offer(frame.block_for(listener.reader.user_id))
        if own and frame.type is EventType.USER_UPDATED:
            guest, shows_presence = _becomes(frame)
            listener.reader = msgspec.structs.replace(listener.reader, guest=guest, shows_presence=shows_presence)
            if self._prefer is not None:
                self._prefer(listener.reader.user_id, shows_presence)
        if own and frame.type is EventType.USER_DISABLED:
            listener.close(CloseReason.REVOKED)


def _is_personal(frame: Frame) -> bool:
    return frame.type in PERSONAL


def _becomes(frame: Frame) -> tuple[bool, bool]:
    """Whether the person of a `user.updated` is a guest, and shows presence, from now on. After an event that cannot be
    read, the person is a guest and hidden."""
    user = orjson.loads(block_json(frame.own_block or frame.block))["data"].get("user")
    if user is None:
        return True, False
    return sees_only_met(Role(user["role"])), bool(user.get("shows_presence", True))
