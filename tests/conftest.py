"""What every test may ask for."""

import pytest

pytest_plugins = ["tests.servers.fixtures", "tests.engines", "tests.journeys.sharing"]


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests run on the server's own loop."""
    return ("asyncio", {"use_uvloop": True})
