"""The highest committed number of each log that this process writes, to detect a database that went back in time.

If files are rolled back while the server runs, numbers that were already committed become available again. Using them
would give one number to two events.
"""

from __future__ import annotations

from collections.abc import Mapping


class WentBack(Exception):
    """The workspace's log is not the log that this process wrote. Nothing was written.

    `era` is the database's current era.
    """

    def __init__(self, workspace_id: int, head: int, era: str) -> None:
        super().__init__(
            f"the log of workspace {workspace_id} ends at {head} in era {era}; this server did not write it"
        )
        self.era = era


class HighWater:
    """The highest event number that this process committed in each workspace.

    Attributes:
        era: the only era to write in; "" if other processes may begin eras.
    """

    def __init__(self, era: str = "") -> None:
        self.era = era
        self._committed: dict[int, int] = {}

    def of(self, workspace_id: int) -> int:
        """Return the workspace's highest number; 0 if this process committed none."""
        return self._committed.get(workspace_id, 0)

    def check(self, workspace_id: int, head: int, era: str) -> None:
        """Check the workspace before a write.

        Raises WentBack: `head` is below a committed number, or `era` is not the era to write in.
        """
        if head < self.of(workspace_id) or (self.era and era != self.era):
            raise WentBack(workspace_id, head, era)

    def rise(self, heads: Mapping[int, int]) -> None:
        """Record that these numbers are committed."""
        for workspace_id, head in heads.items():
            self._committed[workspace_id] = max(head, self.of(workspace_id))

    def forget(self) -> None:
        """Drop all numbers, because another era began."""
        self._committed.clear()
