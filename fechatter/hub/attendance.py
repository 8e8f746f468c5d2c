"""Reports to presence whose streams are open on this node, and finds the streams of a session."""

from __future__ import annotations

from collections.abc import Mapping

from fechatter.hub.listener import Listener
from fechatter.hub.states import CloseReason
from fechatter.hub.workspace_feed import WorkspaceFeed
from fechatter.signals.presence import Presence


class Attendance:
    """
    Args:
        feeds: the hub's feeds, by workspace.
        presence: None for a hub whose streams nobody watches.
    """

    def __init__(self, feeds: Mapping[int, WorkspaceFeed], presence: Presence | None) -> None:
        self._feeds = feeds
        self._presence = presence

    def opened(self, listener: Listener) -> None:
        """Report a stream whose log was read for the first time."""
        if self._presence is not None:
            listener.counted = True
            self._presence.arrived(listener.reader)

    def renewed(self, listener: Listener) -> None:
        """Report the preference of a stream whose log was read again."""
        if listener.counted:
            self.prefer(listener.reader.user_id, listener.reader.shows_presence)

    def prefer(self, user_id: int, shows_presence: bool) -> None:
        """Report whether a person shows presence."""
        if self._presence is not None:
            self._presence.prefer(user_id, shows_presence)

    def closed(self, listener: Listener) -> None:
        """Report a stream that has ended; nothing happens if it was reported already."""
        if listener.counted and self._presence is not None:
            listener.counted = False
            self._presence.left(listener.reader, ended=listener.closed is CloseReason.REVOKED)

    def of_session(self, workspace_id: int, user_id: int, session_id: int) -> list[Listener]:
        """Return the listeners of a session on this node."""
        feed = self._feeds.get(workspace_id)
        return [] if feed is None else feed.of_session(user_id, session_id)
