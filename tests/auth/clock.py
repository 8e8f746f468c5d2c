"""A clock for tests of limits."""


class Clock:
    """A clock in seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
