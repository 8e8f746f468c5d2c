"""Databases to back up and places to restore to, on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fechatter.model import Actor, ChatId, Extras
from fechatter.settings import Settings
from fechatter.storage.engines.base import Database
from fechatter.storage.opening import open_database
from tests import world
from tests.world import WriterNode

ENGINES = ["sqlite", "postgres"]


def settings_for(engine: str, folder: Path, request: pytest.FixtureRequest) -> Settings:
    """Return settings with their own data folder and, on PostgreSQL, an empty database."""
    url = request.getfixturevalue("postgres_server").create_database() if engine == "postgres" else None
    return Settings(data_dir=folder, database_url=url)


@pytest.fixture(params=ENGINES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of the database to back up."""
    return settings_for(request.param, tmp_path / "data", request)


@pytest.fixture(params=ENGINES)
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of an empty place to restore to."""
    return settings_for(request.param, tmp_path / "restored", request)


def no_progress(what: str, done: int, total: int) -> None:
    """Ignore progress."""


def upload(settings: Settings, name: str, content: bytes) -> None:
    """Put a file where uploaded files are stored."""
    path = settings.data_dir / "files" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def open_settings(settings: Settings) -> Database:
    if settings.database_url is None:
        settings.data_dir.mkdir(mode=0o700, exist_ok=True)
    return await open_database(settings.database_address, lambda frames, signals: None, connections=4)


class MoodExtras(Extras, frozen=True):
    """An optional field of messages that only these tests register."""

    mood: str = ""


class FilledDatabase:
    """A small open database, as a server has it."""

    def __init__(
        self, settings: Settings, database: Database, alice: Actor, bob: Actor, chat_id: ChatId, node: WriterNode
    ) -> None:
        self.settings = settings
        self.database = database
        self.alice = alice
        self.bob = bob
        self.chat_id = chat_id
        self.node = node


@pytest.fixture
async def filled(settings: Settings) -> AsyncIterator[FilledDatabase]:
    """Two people, a chat and messages with every character that a format may handle wrongly."""
    database = await open_settings(settings)
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    node = WriterNode(database, extras_fields=MoodExtras)
    for number, content in enumerate(
        ['plain "quoted"', "back\\slash \\\\ \\n", "line\nbreak\ttab\r", "Ünïcödé 👩‍👩‍👧 \u2028"]
    ):
        await node.sent(alice, chat_id, content, f"key {number}", extras={"mood": content})
    try:
        yield FilledDatabase(settings, database, alice, bob, chat_id, node)
    finally:
        await node.close()
        await database.close()
