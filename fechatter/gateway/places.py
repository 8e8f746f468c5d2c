"""How many connections a gateway may have."""

from __future__ import annotations

from fechatter.settings import Settings

BACKLOG = 4096
MIN_PER_ADDRESS = 64
ADDRESS_SHARE = 4
"""One client address may have a quarter of all connections."""


def connection_limits(settings: Settings, connections: int, upstream_connections: int) -> dict[str, int]:
    """Return the limits that depend on the number of files that may be open."""
    share = max(connections // ADDRESS_SHARE, MIN_PER_ADDRESS)
    return {
        "connections": connections,
        "connections_per_address": settings.connections_per_address or share,
        "upstream_connections": upstream_connections,
    }
