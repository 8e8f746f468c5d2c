"""The result of a bench, as text for people and as JSON for programs."""

from __future__ import annotations

import math
from collections import Counter

import msgspec

from fechatter.bench.timing import Timing, percentile

BAR = 40
STEPS_A_DECADE = 5
SHARES = {"p50_ms": 0.50, "p90_ms": 0.90, "p99_ms": 0.99, "max_ms": 1.0}
UNITS = {"ms": "ms", "us": "µs", "second": "/s", "seconds": "s", "percent": "%", "mib": "MiB", "kib": "KiB"}


class Bar(msgspec.Struct):
    """The number of latencies up to `up_to_ms` and above the bound of the previous bar."""

    up_to_ms: float
    count: int


class Report(msgspec.Struct):
    """One bench's result. The last word of a figure's name is its unit.

    Attributes:
        how: how the load was generated; figures of different kinds of load are not comparable.
        notes: hints that are needed to understand the figures.
    """

    bench: str
    how: str
    target: str
    machine: str
    figures: dict[str, float]
    latencies: list[Bar] = []
    notes: list[str] = []

    def text(self) -> str:
        """Return the report for a terminal: its figures, and a bar chart of the latencies."""
        lines = [f"fechatter bench {self.bench}", f"  {self.how}", f"  {self.target}", f"  {self.machine}", ""]
        width = max(map(len, self.figures), default=0)
        lines += [
            f"  {_label(name):<{width}}  {_number(value):>12} {_unit(name)}".rstrip()
            for name, value in self.figures.items()
        ]
        most = max((bar.count for bar in self.latencies), default=1)
        lines += [""] * bool(self.latencies)
        lines += [
            f"  {_label_of_bar(bar):>12} {'█' * math.ceil(BAR * bar.count / most):<{BAR}} {bar.count:,}"
            for bar in self.latencies
        ]
        return "\n".join(lines + [""] * bool(self.notes) + [f"  {note}" for note in self.notes])


def latency_figures(latencies: list[float], prefix: str = "") -> dict[str, float]:
    """Return average, percentiles and maximum in milliseconds, or nothing without latencies."""
    if not latencies:
        return {}
    ordered = sorted(latencies)
    found = {f"{prefix}average_ms": sum(ordered) / len(ordered) * 1000}
    return found | {f"{prefix}{name}": percentile(ordered, share) * 1000 for name, share in SHARES.items()}


def figures_of(timing: Timing) -> dict[str, float]:
    """Return all figures of a run of load."""
    count = len(timing.latencies)
    found = {
        "rate_per_second": timing.rate,
        **latency_figures(timing.latencies),
        "refused": timing.refused,
        "unanswered": timing.unanswered,
        "generator_busy_percent": timing.generator_share * 100,
    }
    if count:
        found["generator_cpu_per_request_us"] = timing.generator_cpu_seconds / count * 1e6
    if timing.late:
        found["generator_late_p99_ms"] = percentile(sorted(timing.late), 0.99) * 1000
    if timing.server_cpu_seconds is not None:
        if count:
            found["server_cpu_per_request_us"] = timing.server_cpu_seconds / count * 1e6
        found["server_busy_percent"] = timing.server_cpu_seconds / timing.seconds * 100
    if timing.server_memory_bytes is not None:
        found["server_memory_mib"] = timing.server_memory_bytes / 2**20
    return found


def notes_of(timing: Timing) -> list[str]:
    """Return a sentence for each thing that distorts the figures of a run."""
    found = []
    if reason := timing.limited_by_generator():
        found.append(f"The load generator was the limit: {reason}. The server may be better than this.")
    if timing.reopened:
        found.append(
            f"{timing.reopened:,} connections were reopened because the server had closed them while they were idle."
        )
    if timing.refused:
        found.append(f"{timing.refused:,} requests were refused (the limits of a running server apply to load too).")
    if timing.unanswered:
        found.append(f"{timing.unanswered:,} requests had no response at the end: the server cannot sustain this rate.")
    return found


def bars(latencies: list[float]) -> list[Bar]:
    """Count latencies between bounds that grow by a constant factor, five per power of ten."""
    counts = Counter(math.ceil(STEPS_A_DECADE * math.log10(max(latency * 1000, 1e-3))) for latency in latencies)
    if not counts:
        return []
    return [
        Bar(float(f"{10 ** (step / STEPS_A_DECADE):.2g}"), counts[step]) for step in range(min(counts), max(counts) + 1)
    ]


def _label(name: str) -> str:
    words = name.removesuffix("_per_second").split("_")
    return " ".join(words[:-1] if len(words) > 1 and words[-1] in UNITS else words)


def _unit(name: str) -> str:
    return UNITS.get(name.rsplit("_", 1)[-1], "") if "_" in name else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:,.2f}"


def _label_of_bar(bar: Bar) -> str:
    return f"≤ {bar.up_to_ms:g} ms"
