"""Fixtures and hooks for all tests."""

import pytest

from tests.servers.disks import UNPROVED

pytest_plugins = ["tests.servers.fixtures", "tests.engines", "tests.journeys.sharing"]


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests run on the same loop as the server."""
    return ("asyncio", {"use_uvloop": True})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the tests that this machine could not run."""
    unproved = [
        report.nodeid for report in terminalreporter.stats.get("skipped", []) if UNPROVED in str(report.longrepr)
    ]
    if unproved:
        terminalreporter.section(f"NOT PROVED: {UNPROVED}", red=True, bold=True)
        for nodeid in unproved:
            terminalreporter.line(nodeid)
