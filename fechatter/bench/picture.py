"""Draws a report as SVG: one column per range of latencies, and a mark at each percentile."""

from __future__ import annotations

from html import escape

from fechatter.bench.report import Bar, Report

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 80, 60
MARKS = {"p50_ms": "p50", "p90_ms": "p90", "p99_ms": "p99"}
STYLE = """\
text{font:12px sans-serif;fill:#222}.title{font-size:16px;font-weight:bold}
.bar{fill:#4477aa}.mark{stroke:#cc3311}.name{fill:#cc3311}"""


def draw(report: Report) -> str:
    """Return the text of an SVG file."""
    found = report.latencies
    column = (WIDTH - LEFT - RIGHT) / max(len(found), 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>',
        _text(LEFT, 24, f"fechatter bench {report.bench}", "title"),
        _text(LEFT, 44, report.how),
        _text(LEFT, 62, report.machine),
        *(_column(bar, number, column, found) for number, bar in enumerate(found)),
        *_marks(report, column),
        f'<path d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}" stroke="#222"/>',
        _text(WIDTH / 2 - 60, HEIGHT - 14, "latency up to, milliseconds"),
    ]
    return "\n".join([*parts, "</svg>", ""])


def _column(bar: Bar, number: int, width: float, found: list[Bar]) -> str:
    most = max(each.count for each in found)
    height = (HEIGHT - TOP - BOTTOM) * bar.count / most
    left, top = LEFT + number * width, HEIGHT - BOTTOM - height
    shape = f'<rect class="bar" x="{left + 1:.1f}" y="{top:.1f}" width="{width - 2:.1f}" height="{height:.1f}">'
    return f"{shape}<title>{bar.count:,}</title></rect>" + _text(left + 2, HEIGHT - BOTTOM + 16, f"{bar.up_to_ms:g}")


def _marks(report: Report, width: float) -> list[str]:
    """Draw a line at each percentile, in its column."""
    lines = []
    for row, (figure, name) in enumerate(MARKS.items()):
        value = report.figures.get(figure)
        if value is None or not report.latencies:
            continue
        number = next(
            (at for at, bar in enumerate(report.latencies) if value <= bar.up_to_ms), len(report.latencies) - 1
        )
        left = LEFT + (number + 0.5) * width
        lines.append(f'<path class="mark" d="M{left:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        lines.append(_text(left + 4, TOP + 12 + 14 * row, f"{name} {value:.1f} ms", "name"))
    return lines


def _text(left: float, top: float, text: str, kind: str = "") -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}" class="{kind}">{escape(text)}</text>'
