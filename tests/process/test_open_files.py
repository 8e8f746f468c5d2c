"""The limit of open files and the connections that it allows."""

from __future__ import annotations

import resource

import pytest

from fechatter.errors import StartError
from fechatter.process.open_files import MAX_FILES, most_connections
from fechatter.settings import Settings

SETTINGS = Settings(connection_limit=10)
INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "connections"),
    [
        (1024, 1024, None, 886),
        (1024, 4096, (4096, 4096), 3958),
        (256, INFINITE, (MAX_FILES, INFINITE), MAX_FILES - 138),
        (INFINITE, INFINITE, None, MAX_FILES - 138),
    ],
)
def test_all_files_except_a_reserve_are_available_to_clients(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: tuple[int, int] | None, connections: int
) -> None:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: calls.append(limits))
    assert most_connections(SETTINGS) == connections
    assert calls == ([] if raised is None else [raised])


def test_a_limit_that_cannot_be_raised_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: int, limits: tuple[int, int]) -> None:
        raise ValueError("not allowed")

    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert most_connections(SETTINGS) == 886


def test_too_few_files_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (200, 200))
    with pytest.raises(StartError, match="at least 202 are needed"):
        most_connections(SETTINGS)
