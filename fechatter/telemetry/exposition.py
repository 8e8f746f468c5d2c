"""Formats metrics as text, in Prometheus' format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

import msgspec

from fechatter.telemetry.measures import Histogram
from fechatter.telemetry.names import Metric

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Value = float | Histogram
Labels = tuple[str, ...]


class Reading(msgspec.Struct, frozen=True):
    """A metric and its values by their label values; the key is () if the metric has no labels.

    An unknown value is absent.
    """

    metric: Metric
    values: Mapping[Labels, Value]


def unlabeled(metric: Metric, value: Value | None) -> Reading:
    """Return the reading of a metric without labels. None means that the value is unknown."""
    return Reading(metric, {} if value is None else {(): value})


def unlabeled_fields(found: object, fields: Iterable[tuple[Metric, str]]) -> Iterator[Reading]:
    """Yield the reading of each metric from its field of `found`. If `found` is None, all values are unknown."""
    for metric, name in fields:
        yield unlabeled(metric, None if found is None else getattr(found, name))


def render(readings: Iterable[Reading]) -> str:
    """Return all readings as text. Each metric may occur once."""
    return "".join(line + "\n" for reading in readings for line in _lines(reading))


def _lines(reading: Reading) -> Iterator[str]:
    metric = reading.metric
    yield f"# HELP {metric.name} {_escaped(metric.help)}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for values, value in reading.values.items():
        labels = [f'{name}="{_escaped(text)}"' for name, text in zip(metric.labels, values, strict=True)]
        if isinstance(value, Histogram):
            yield from _histogram(metric.name, labels, value)
        else:
            yield _sample(metric.name, labels, value)


def _histogram(name: str, labels: list[str], histogram: Histogram) -> Iterator[str]:
    # Copy the counts first, because another thread may change them.
    counts = list(accumulate(list(histogram.counts)))
    for bound, count in zip([*map(_number, histogram.bounds), "+Inf"], counts, strict=True):
        yield _sample(f"{name}_bucket", [*labels, f'le="{bound}"'], count)
    yield _sample(f"{name}_sum", labels, histogram.total)
    yield _sample(f"{name}_count", labels, counts[-1])


def _sample(name: str, labels: list[str], value: float) -> str:
    return f"{name}{{{','.join(labels)}}} {_number(value)}" if labels else f"{name} {_number(value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
