"""Write the table of metrics into fechatter/telemetry/METRICS.md, between its two markers.

`--check` changes nothing. The exit code is 1 if the page has no markers, or with `--check` if it is not current.
"""

import sys
from pathlib import Path

from fechatter.telemetry.names import REGISTRY

DOCUMENT = Path(__file__).resolve().parent.parent / "fechatter" / "telemetry" / "METRICS.md"
BEGIN, END = "<!-- metrics: begin -->\n", "<!-- metrics: end -->\n"


def main() -> int:
    """Write or check; returns the exit code."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        print(f"metrics: {DOCUMENT.name} has no markers for the table", file=sys.stderr)
        return 1
    before, rest = text.split(BEGIN)
    printed = before + BEGIN + table() + END + rest.split(END)[1]
    if "--check" in sys.argv[1:]:
        return 0 if printed == text else 1
    DOCUMENT.write_text(printed, encoding="utf-8")
    return 0


def table() -> str:
    """Return all metrics as a Markdown table."""
    lines = ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    for metric in REGISTRY.values():
        lines.append(f"| `{metric.name}` | {metric.kind} | {', '.join(metric.labels) or '·'} | {metric.help} |")
    return "\n" + "\n".join(lines) + "\n\n"


if __name__ == "__main__":
    sys.exit(main())
