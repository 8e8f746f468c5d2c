"""Every claim was measured: claims.toml, the results and docs/performance.md agree."""

from __future__ import annotations

import json
from pathlib import Path

from benches.claims import BEGIN, END, as_toml, fill
from fechatter.bench.claims import claims_table, claims_text, read_claims

ROOT = Path(__file__).parents[2]


def test_every_value_and_verdict_follows_from_the_results_file() -> None:
    claims = read_claims()
    found = json.loads((ROOT / claims.results).read_text(encoding="utf-8"))
    assert fill(read_claims(), claims.results, found) == claims
    assert {claim.figure for claim in claims.claim if claim.measured is not None} <= set(found["figures"])


def test_the_file_is_formatted_as_the_command_writes_it() -> None:
    assert (ROOT / "benches" / "claims.toml").read_text(encoding="utf-8") == as_toml(read_claims())


def test_the_performance_page_shows_the_claims() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert page.split(BEGIN)[1].split(END)[0] == claims_table(read_claims())


def test_claims_that_do_not_hold_have_a_reason() -> None:
    for claim in read_claims().claim:
        assert claim.verdict == claim.judge()
        assert claim.reason or claim.verdict != "does not hold", claim.headline
        assert claim.headline in claims_text(read_claims())
