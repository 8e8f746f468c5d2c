"""Measures every headline and writes the values to claims.toml, benches/results and docs/performance.md: `make claims`.

Each round measures the headlines of the server on a new server with SQLite. The native functions are measured
alternately with plain Rust.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benches.figures import RESULTS, MeasuredFigures, header
from fechatter.bench.claims import ClaimsFile, claims_table, claims_text, read_claims
from fechatter.bench.own_server import OwnServer
from fechatter.bench.runs import Wanted, measure
from fechatter.bench.target import LoadTarget
from fechatter.bench.workspace import LoadWorkspace, create_load_workspace

ROOT = Path(__file__).resolve().parent.parent
CLAIMS = ROOT / "fechatter" / "bench" / "claims.toml"
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- claims: begin -->\n", "<!-- claims: end -->\n"
RATES = {"send": 1000, "list": 200, "auth": 500, "queries": 100}
PUBLISHED_DIGITS = 4


async def measure_server(target: LoadTarget, place: LoadWorkspace, figures: MeasuredFigures, seconds: float) -> None:
    """Measure the headlines of the server once: latencies in an open loop, capacities in a closed loop."""
    for bench, rate in RATES.items():
        found = (await measure(bench, target, place, Wanted(seconds=seconds, rate=rate))).figures
        figures.add(f"{bench}_average_ms", found["average_ms"])
        figures.add(f"{bench}_p99_ms", found["p99_ms"])
        found = (await measure(bench, target, place, Wanted(seconds=seconds))).figures
        figures.add(f"{bench}_capacity", found["rate_per_second"])
    wanted = Wanted(seconds=seconds, rate=50, listeners=200)
    found = (await measure("deliver", target, place, wanted)).figures
    figures.add("shown_p99_ms", found["shown_p99_ms"])
    sent = found["rate_per_second"] * seconds
    figures.add("online", min(wanted.listeners, round(found["delivered"] / sent)))


def measure_native(figures: MeasuredFigures) -> None:
    """Measure how many times as fast the extension is as plain Python and plain Rust."""
    plain, native = _plain_python(), _native()
    for name, ways in native.items():
        own = statistics.median(ways["fechatter"])
        for mine, other in zip(ways["fechatter"], ways["plain"], strict=True):
            figures.values.setdefault(f"{name}_rust", []).append(other / mine)
        for other in plain[name]:
            figures.values.setdefault(f"{name}_python", []).append(other / own)
    for nanoseconds in plain["token"]:
        figures.values.setdefault("token_checks", []).append(1e9 / nanoseconds)


def _native() -> dict[str, dict[str, list[float]]]:
    """Return nanoseconds per item of the extension and of plain Rust, by name."""
    command = [
        "cargo",
        "run",
        "--release",
        "--locked",
        "--quiet",
        "--manifest-path",
        ROOT / "benches" / "native" / "Cargo.toml",
    ]
    done = subprocess.run(
        [*command, "--target-dir", ROOT / "target" / "benches"], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _plain_python() -> dict[str, list[float]]:
    """Return nanoseconds per item of plain Python, by name; at least five rounds each."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "python.json"
        options = ["--benchmark-only", "--benchmark-quiet", "--benchmark-save-data", f"--benchmark-json={path}"]
        command = [sys.executable, "-m", "pytest", "--quiet", "-o", "timeout=0", ROOT / "benches" / "test_claims.py"]
        subprocess.run([*command, *options], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        found = json.loads(path.read_text())["benchmarks"]
    return {each["extra_info"]["figure"]: _nanoseconds(each) for each in found}


def _nanoseconds(found: dict[str, Any]) -> list[float]:
    """Return the quartiles of a measurement, in nanoseconds per item. Single rounds are too short."""
    stats, items = found["stats"], found["extra_info"]["items"]
    return [stats[quarter] / items * 1e9 for quarter in ("q1", "median", "q3")]


def write(figures: MeasuredFigures) -> None:
    """Write the measured values to a results file, and from there to claims.toml and docs/performance.md."""
    today = datetime.datetime.now(datetime.UTC).date()
    path = RESULTS / f"{today}-claims.json"
    spreads = {name: [_published(value) for value in figures.spread(name)] for name in figures.values}
    found = {name: {"median": each[0], "least": each[1], "most": each[2]} for name, each in spreads.items()}
    path.write_text(json.dumps({"machine": header(), "figures": found}, indent=1) + "\n")
    publish(fill(read_claims(), f"benches/results/{path.name}", json.loads(path.read_text())))


def publish(claims: ClaimsFile) -> None:
    """Write the claims to claims.toml and docs/performance.md."""
    CLAIMS.write_text(as_toml(claims), encoding="utf-8")
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + claims_table(claims) + END + rest.split(END)[1], encoding="utf-8")


def fill(claims: ClaimsFile, results: str, found: dict[str, Any]) -> ClaimsFile:
    """Return the claims with the values of a results file and the verdicts that follow from them."""
    claims.results, claims.machine = results, found["machine"]
    for claim in claims.claim:
        spread = found["figures"].get(claim.figure, {})
        claim.measured, claim.measured_least, claim.measured_most = (
            spread.get(name) for name in ("median", "least", "most")
        )
        claim.verdict = claim.judge()
    return claims


def as_toml(claims: ClaimsFile) -> str:
    """Return the text of claims.toml. JSON strings are also TOML strings."""
    lines = ["# Written by `make claims`: measured values and verdicts are never changed by hand.", ""]
    lines += [f"{name} = {json.dumps(getattr(claims, name), ensure_ascii=False)}" for name in ("results", "machine")]
    for claim in claims.claim:
        values = msgspec.to_builtins(claim)
        lines += ["", "[[claim]]"]
        lines += [
            f"{name} = {json.dumps(value, ensure_ascii=False)}"
            for name, value in values.items()
            if value not in (None, "")
        ]
    return "\n".join([*lines, ""])


def _published(value: float) -> float:
    return float(f"{value:.{PUBLISHED_DIGITS}g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0)
    options = parser.parse_args()
    figures = MeasuredFigures()
    measure_native(figures)
    for _ in range(options.rounds):
        with OwnServer() as server:
            server.start()
            place = uvloop.run(create_load_workspace(server.target, server.read_setup_token(), people=16, chats=20))
            uvloop.run(measure_server(server.target, place, figures, options.seconds))
    write(figures)
    print(claims_text(read_claims()))


if __name__ == "__main__":
    main()
