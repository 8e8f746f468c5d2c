"""The feed of one workspace on this node: it decides which listener is shown which frame.

Frames arrive in the order of their numbers. Membership events move listeners between the chats' lanes as they pass, and
a change of a person's role changes what the person sees of others. So each frame is shown with the rights that the
listener had at the frame's number, not with its current rights.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

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

PERSONAL = frozenset(types_visible_to(Visibility.PERSON))


class WorkspaceFeed:
    """The listeners, lanes and sequencer of one workspace.

    Args:
        position: the head of the workspace's log when the feed was opened.
        era: the era that was current then.
        streams: the native lanes. They show new messages to the same listeners as the lanes here show other events.
    """

    def __init__(self, workspace_id: int, position: Position, era: str, streams: Streams) -> None:
        self.workspace_id = workspace_id
        self._streams = streams
        self.sequencer = Sequencer(position, era)
        self.listeners: set[Listener] = set()
        self._joining: set[Listener] = set()
        self._lanes: dict[int, set[Listener]] = {}
        self._by_user: dict[int, set[Listener]] = {}

    def attach(self, listener: Listener) -> Joining:
        """Add a listener whose replay is being read. Its frames are kept until `begin`."""
        self._joining.add(listener)
        self.listeners.add(listener)
        self._by_user.setdefault(listener.reader.user_id, set()).add(listener)
        return listener.join()

    def begin(self, listener: Listener, start: Start) -> None:
        """Queue the blocks that were read. Show live frames from now on, unless the log has more of the replay."""
        listener.reader = start.reader
        self._joining.discard(listener)
        for block in start.blocks:
            listener.offer(block)
        if start.replay is not None:
            listener.pause_replay(start.replay)
            return
        held = listener.go_live(start.head)
        for chat_id in start.chats:
            self._enter(listener, chat_id)
        for frame in held:
            self._show_to([listener], frame)

    def detach(self, listener: Listener) -> None:
        """Remove a listener; nothing happens if it was removed already."""
        self.listeners.discard(listener)
        self._joining.discard(listener)
        own = self._by_user.get(listener.reader.user_id, set())
        own.discard(listener)
        if not own:
            self._by_user.pop(listener.reader.user_id, None)
        self._leave_all(listener)

    def streams_of(self, user_id: int) -> int:
        """Return the number of the person's listeners."""
        return len(self._by_user.get(user_id, ()))

    def restart(self, position: Position, era: str) -> None:
        """Continue from another position, because the log does not contain the current one; live listeners get `reset`.

        A listener that is joining notices the change itself (`Hub._join`).
        """
        lost = self.sequencer.place
        self.sequencer = Sequencer(position, era)
        for listener in self.listeners:
            if isinstance(listener.state, Live):
                self._leave_all(listener)
                listener.reset(lost)

    def receive(self, frames: Iterable[Frame]) -> None:
        """Show frames from the bus, each when its turn comes."""
        self._pass(self.sequencer.accept(frames))

    def fill(self, frames: Iterable[Frame]) -> None:
        """Show frames from the log, each when its turn comes."""
        self._pass(self.sequencer.fill(frames))

    def _pass(self, frames: Iterable[Frame]) -> None:
        """Show frames in the order of their numbers. Successive messages are published in one call."""
        messages: list[tuple[int, int, bytes]] = []
        for frame in frames:
            for listener in self._joining:
                if isinstance(listener.state, Joining):
                    listener.state.hold(frame)
            if frame.type is EventType.MESSAGE_CREATED and frame.chat_id is not None:
                messages.append((frame.chat_id, frame.seq, frame.block))
                continue
            if messages:
                self._streams.publish(messages)
                messages = []
            self._show(frame)
        if messages:
            self._streams.publish(messages)

    def signal(self, signal: Signal) -> None:
        """Queue a signal for the listeners to whom it is addressed."""
        for listener in self._addressed(signal):
            if listener.reader.user_id != signal.except_user_id:
                listener.offer_signal(signal.block)

    def _addressed(self, signal: Signal) -> Iterable[Listener]:
        if signal.chat_id:
            return self._lanes.get(signal.chat_id, ())
        return chain.from_iterable(self._by_user.get(user_id, ()) for user_id in signal.people)

    def close(self, reason: CloseReason) -> None:
        """Close all listeners of the workspace."""
        for listener in list(self.listeners):
            listener.close(reason)

    def _show(self, frame: Frame) -> None:
        if _is_personal(frame):
            self._show_to(self._by_user.get(frame.user_id or 0, ()), frame)
        elif frame.chat_id is None:
            self._show_to(self.listeners, frame)
        elif frame.type is EventType.MEMBER_JOINED:
            self._show_to(self._lane_and_own(frame), frame)
        else:
            self._show_to(self._lanes.get(frame.chat_id, ()), frame)

    def _lane_and_own(self, frame: Frame) -> set[Listener]:
        return self._lanes.get(frame.chat_id or 0, set()) | self._by_user.get(frame.user_id or 0, set())

    def _show_to(self, listeners: Iterable[Listener], frame: Frame) -> None:
        """Show a frame to each of `listeners` that may see it, and move them between lanes."""
        for listener in list(listeners):
            if isinstance(listener.state, Live) and listener.after < frame.seq:
                self._show_one(listener, frame)

    def _show_one(self, listener: Listener, frame: Frame) -> None:
        own = frame.user_id == listener.reader.user_id
        if not own and _is_personal(frame):
            return
        chat_id = frame.chat_id
        if chat_id is None:
            self._show_person(listener, frame, own=own)
            return
        if own and frame.type is EventType.MEMBER_JOINED:
            self._enter(listener, chat_id)
        if chat_id in listener.chats:
            listener.offer(frame.block_for(listener.reader.user_id))
        if (own and frame.type is EventType.MEMBER_LEFT) or frame.type is EventType.CHAT_DELETED:
            self._leave(listener, chat_id)

    def _show_person(self, listener: Listener, frame: Frame, *, own: bool) -> None:
        if frame.type is EventType.SESSION_REVOKED:
            if frame.session_id == listener.reader.session_id:
                listener.close(CloseReason.REVOKED)
            return
        if own or frame.user_id is None or not listener.reader.guest:
            listener.offer(frame.block_for(listener.reader.user_id))
        if own and frame.type is EventType.USER_UPDATED:
            listener.reader = msgspec.structs.replace(listener.reader, guest=_becomes_guest(frame))
        if own and frame.type is EventType.USER_DISABLED:
            listener.close(CloseReason.REVOKED)

    def _enter(self, listener: Listener, chat_id: int) -> None:
        listener.chats.add(chat_id)
        self._lanes.setdefault(chat_id, set()).add(listener)
        self._streams.enter(chat_id, listener.stream, listener.after)

    def _leave_all(self, listener: Listener) -> None:
        for chat_id in list(listener.chats):
            self._leave(listener, chat_id)

    def _leave(self, listener: Listener, chat_id: int) -> None:
        listener.chats.discard(chat_id)
        self._streams.leave(chat_id, listener.stream)
        lane = self._lanes.get(chat_id)
        if lane is not None:
            lane.discard(listener)
            if not lane:
                del self._lanes[chat_id]


def _is_personal(frame: Frame) -> bool:
    return frame.type in PERSONAL


def _becomes_guest(frame: Frame) -> bool:
    """Whether the person of a `user.updated` is a guest from now on. An event that cannot be read makes the person a
    guest."""
    user = orjson.loads(block_json(frame.block))["data"].get("user")
    return user is None or sees_only_met(Role(user["role"]))
