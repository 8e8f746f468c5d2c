"""The registry of metrics, its documentation and the rendered text."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from fechatter.api.middleware.requests import Requests
from fechatter.errors import NotFound, TooManyRequests
from fechatter.storage import figures
from fechatter.storage.engines.base import Database
from fechatter.telemetry import names
from fechatter.telemetry.exposition import Reading, render, unlabeled
from fechatter.telemetry.measures import Histogram
from tests import world

CHECKOUT = Path(__file__).parents[2]


def test_the_documented_table_is_current() -> None:
    shown = subprocess.run([sys.executable, "scripts/metrics.py", "--check"], cwd=CHECKOUT, timeout=60, check=False)
    assert shown.returncode == 0, "run: make metrics"


def test_names_follow_the_conventions_of_prometheus() -> None:
    for name, metric in names.REGISTRY.items():
        assert re.fullmatch(r"(fechatter|process|python)_[a-z0-9_]+", name)
        assert name.endswith("_total") == (metric.kind == "counter")
        assert metric.help.endswith(".")


def test_values_are_rendered_for_prometheus() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(value)
    metric = names.Metric("seconds", "histogram", "Two\nlines.", ("route",))
    text = render(
        [Reading(metric, {('a"\\\n',): histogram}), unlabeled(names.Metric("streams", "gauge", "Streams."), 2.5)]
    )
    assert text.splitlines() == [
        "# HELP seconds Two\\nlines.",
        "# TYPE seconds histogram",
        'seconds_bucket{route="a\\"\\\\\\n",le="0.1"} 2',
        'seconds_bucket{route="a\\"\\\\\\n",le="1"} 3',
        'seconds_bucket{route="a\\"\\\\\\n",le="+Inf"} 4',
        f'seconds_sum{{route="a\\"\\\\\\n"}} {0.05 + 0.1 + 0.5 + 7.0!r}',
        'seconds_count{route="a\\"\\\\\\n"} 4',
        "# HELP streams Streams.",
        "# TYPE streams gauge",
        "streams 2.5",
    ]


def test_an_unknown_value_has_no_sample() -> None:
    assert render([unlabeled(names.LOG_AGE, None)]).splitlines() == [
        f"# HELP {names.LOG_AGE.name} {names.LOG_AGE.help}",
        f"# TYPE {names.LOG_AGE.name} gauge",
    ]


def test_refusals_are_counted_by_code_and_by_limit() -> None:
    requests = Requests()
    for problem in (
        NotFound(),
        NotFound(),
        TooManyRequests(policy=("signin", 10, 600)),
        TooManyRequests(code="too_many_streams"),
    ):
        requests.refused(problem)
    assert requests.problems == {"not_found": 2, "too_many_requests": 1, "too_many_streams": 1}
    assert requests.limited == {"signin": 1, "too_many_streams": 1}


async def test_the_size_of_the_database_is_measured(database: Database) -> None:
    before = await database.read(figures.read)
    alice, bob = await world.people(database, "alice", "bob")
    await world.chat(database, alice, bob)
    after = await database.read(figures.read)
    assert after.log_events > before.log_events
    assert (after.log_dropped, after.migration > 0, after.log_age_seconds >= 0) == (before.log_dropped, True, True)
    await database.write_unlocked(
        lambda tx: tx.execute("UPDATE sessions SET last_used_at = $1 WHERE id = $2", tx.now, alice.session_id)
    )
    assert (await database.read(figures.read)).people_day == before.people_day + 1
