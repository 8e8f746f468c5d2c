"""A value that is not known yet has no sample and is never reported as zero."""

from __future__ import annotations

from pathlib import Path

from fechatter.api.middleware.requests import Requests
from fechatter.api.readings import read_all
from fechatter.app import open_services
from fechatter.settings import Settings
from fechatter.storage import figures
from fechatter.telemetry import names
from tests.world import raise_on_death


async def test_a_new_server_reports_only_known_values(tmp_path: Path) -> None:
    async with open_services(Settings(data_dir=tmp_path), raise_on_death) as services:
        found = await services.database.read(figures.read)
        readings = {reading.metric: dict(reading.values) for reading in read_all(services, Requests(), found)}
        assert readings[names.LOG_EVENTS] == {(): 0}
        assert readings[names.LOG_AGE] == {}
        # No step of these loops has ended in the first minute.
        upkeep = {(loop.name,) for loop in services.upkeep}
        assert upkeep.isdisjoint(readings[names.LOOP_FAILING])
        assert all(readings[names.LOOP_RUNS][labels] == 0 for labels in upkeep)
        assert readings[names.LOG_LOST] == {}


async def test_figures_of_an_unreachable_database_are_unknown(tmp_path: Path) -> None:
    async with open_services(Settings(data_dir=tmp_path), raise_on_death) as services:
        readings = {reading.metric: dict(reading.values) for reading in read_all(services, Requests(), None)}
        assert readings[names.DATABASE_UP] == {(): False}
        for metric in (names.LOG_EVENTS, names.LOG_DROPPED, names.LOG_AGE, names.MIGRATION, names.PEOPLE_DAY):
            assert readings[metric] == {}
