"""Measured values over several rounds, and the files in benches/results."""

from __future__ import annotations

import datetime
import os
import statistics
from pathlib import Path

from fechatter.bench.machine import SHARED, machine

BUSY_BEFORE = os.getloadavg()[0]
RESULTS = Path(__file__).parent / "results"


class MeasuredFigures:
    """The measured values of all rounds, by name."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        """Add the value of one round, and print it."""
        self.values.setdefault(name, []).append(value)
        print(f"  {name}: {value:,.2f}", flush=True)

    def spread(self, name: str) -> tuple[float, float, float]:
        """Return the median, the minimum and the maximum."""
        values = self.values[name]
        return statistics.median(values), min(values), max(values)

    def table(self) -> str:
        """Return a Markdown table with one row for each figure."""
        lines = ["| figure | median | least | most | rounds |", "|---|---|---|---|---|"]
        for name, values in self.values.items():
            median, least, most = self.spread(name)
            lines.append(f"| {name} | {median:,.2f} | {least:,.2f} | {most:,.2f} | {len(values)} |")
        return "\n".join(lines)


def write_results(name: str, figures: MeasuredFigures) -> str:
    """Write the figures as a table into benches/results; return the name of the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{today()}-{name}.md"
    path.write_text(f"# {name}, {today()}\n\n{header()}\n\n{figures.table()}\n")
    return path.name


def today() -> datetime.date:
    """Return the date in the names of results."""
    return datetime.datetime.now(datetime.UTC).date()


def header() -> str:
    """Describe the conditions of a measurement. It is unusable if the load average before it is near the processors."""
    return f"{machine()}; load average before {BUSY_BEFORE:.1f}; {SHARED}"
