"""Draws stacks as a flame graph: a plain SVG with a colour for each language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape

WIDTH, ROW, TOP, LEAST = 1400, 17, 70, 0.6
COLOURS = {"Python": "#7fb2e5", "Rust": "#f2a15f", "C": "#d0d0d0"}
STYLE = "text{font:11px monospace;fill:#111}.title{font:bold 15px sans-serif}rect{stroke:#fff;stroke-width:.5}"
WAITS = ("epoll_", "pthread_cond", "syscall", "clock_nanosleep", "poll", "sem_", "PyThread_acquire_lock", "select")
"""Prefixes of the innermost named frame of a thread that waits without using a processor."""
LINE = re.compile(r":\d+\)$")


class StackFrame:
    """Samples of one function under one caller."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.samples = 0
        self.callees: dict[str, StackFrame] = {}

    def callee(self, name: str) -> StackFrame:
        return self.callees.setdefault(name, StackFrame(name))


def read_stacks(lines: Iterable[str]) -> StackFrame:
    """Return the tree of `caller;callee;… count` lines without waiting threads."""
    root = StackFrame("all threads that ran")
    for line in lines:
        stack, count = line.rsplit(" ", 1)
        names = [LINE.sub(")", name) for name in stack.split(";") if not name.startswith("0x")]
        if names and not names[-1].startswith(WAITS):
            _add(root, names, int(count))
    return root


def _add(root: StackFrame, names: list[str], count: int) -> None:
    root.samples += count
    frame = root
    for name in names:
        frame = frame.callee(name)
        frame.samples += count


def kind(name: str) -> str:
    """Return the language of a frame."""
    if name.endswith((".py)", "runpy>)")):
        return "Python"
    return "Rust" if "::" in name or name.endswith(".rs)") or name.startswith("_RNv") else "C"


def draw(root: StackFrame, title: str) -> str:
    """Return an SVG with the outermost frames at the bottom, without boxes that are narrower than `LEAST` pixels."""
    boxes = list(_boxes(root, 0.0, WIDTH / max(root.samples, 1), 0))
    height = TOP + ROW * (max(level for level, *_ in boxes) + 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"><style>{STYLE}</style>',
        f'<rect width="100%" height="100%" fill="#fff"/><text class="title" x="8" y="22">{escape(title)}</text>',
    ]
    for number, (name, colour) in enumerate(COLOURS.items()):
        parts.append(f'<rect x="{8 + 90 * number}" y="32" width="14" height="14" fill="{colour}"/>')
        parts.append(f'<text x="{28 + 90 * number}" y="44">{name}</text>')
    parts += [_box(height - ROW * (level + 1), left, width, frame, root) for level, left, width, frame in boxes]
    return "\n".join([*parts, "</svg>", ""])


def _boxes(frame: StackFrame, left: float, scale: float, level: int) -> Iterator[tuple[int, float, float, StackFrame]]:
    yield level, left, frame.samples * scale, frame
    for callee in sorted(frame.callees.values(), key=lambda each: each.name):
        if callee.samples * scale >= LEAST:
            yield from _boxes(callee, left, scale, level + 1)
        left += callee.samples * scale


def _box(top: float, left: float, width: float, frame: StackFrame, root: StackFrame) -> str:
    shown = frame.name[: int(width / 6.7)]
    text = f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(shown)}</text>' if len(shown) > 3 else ""
    label = f"{frame.name}: {frame.samples / max(root.samples, 1):.1%}"
    shape = f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 1}" fill="{COLOURS[kind(frame.name)]}">'
    return f"{shape}<title>{escape(label)}</title></rect>{text}"
