"""The URLs at which people reach the server."""

from fechatter.settings.tree import Settings

EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Hosts that mean all addresses of the machine, each with the loopback address that reaches the server."""


def public_url(settings: Settings, port: int) -> str:
    """Return the URL that people use."""
    return settings.public_url or local_url(settings.host, port, "https" if settings.tls_certificate else "http")


def uses_https(settings: Settings) -> bool:
    """Return whether people reach the server over HTTPS only."""
    return settings.tls_certificate is not None or (settings.public_url or "").startswith("https://")


def local_url(host: str, port: int, scheme: str = "http") -> str:
    """Return the URL of the server as seen from its own machine."""
    host = EVERY_ADDRESS.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
