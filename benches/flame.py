"""Draws a flame graph of the send path with Python and Rust frames: `make flame` writes benches/results/flame.svg.

A second build of the extension contains line tables and symbols. py-spy samples the server while 64 connections send in
a closed loop. Each sample stops the server briefly, which lowers the rate, so only the shares are meaningful.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import uvloop

from benches.figures import RESULTS
from benches.flame_graph import draw, read_stacks
from fechatter.bench.machine import machine
from fechatter.bench.own_server import OwnServer
from fechatter.bench.runs import Wanted, measure
from fechatter.bench.workspace import create_load_workspace

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "target" / "flame"
PACKAGE = BUILD / "site" / "fechatter"
RATE = 50
SLACK_SECONDS = 60.0
BEGINNING_SECONDS = 1.0
"""Time that py-spy needs to read the symbols."""


def build() -> None:
    """Make a folder with links to the package of the checkout, and with an extension that contains symbols."""
    keep = {"CARGO_PROFILE_RELEASE_STRIP": "none", "CARGO_PROFILE_RELEASE_DEBUG": "line-tables-only"}
    command = ["cargo", "build", "--release", "--locked", "--features", "python", "--package", "fechatter-native"]
    subprocess.run([*command, "--target-dir", BUILD], cwd=ROOT, check=True, env=os.environ | keep)
    PACKAGE.mkdir(parents=True, exist_ok=True)
    for path in [*(ROOT / "fechatter").iterdir(), ROOT / "migrations"]:
        link = PACKAGE / path.name if path.name != "migrations" else PACKAGE.parent / path.name
        link.unlink(missing_ok=True)
        if not path.name.startswith("_native.") and path.name != "__pycache__":
            link.symlink_to(path)
    (PACKAGE / "_native.abi3.so").symlink_to(BUILD / "release" / "libfechatter_native.so")


def record(path: Path, seconds: float) -> None:
    """Sample the server under load and draw the graph."""
    os.environ["PYTHONPATH"] = str(PACKAGE.parent)
    with OwnServer() as server:
        server.start()
        place = uvloop.run(create_load_workspace(server.target, server.read_setup_token(), people=16, chats=20))
        stacks = server.folder / "stacks"
        spy = [
            Path(sys.executable).parent / "py-spy",
            "record",
            "--native",
            "--rate",
            str(RATE),
            "--duration",
            str(int(seconds)),
        ]
        with subprocess.Popen(
            [*spy, "--format", "raw", "--output", stacks, "--pid", str(server.target.pid)]
        ) as recording:
            report = uvloop.run(measure("send", server.target, place, Wanted(seconds=seconds + BEGINNING_SECONDS)))
            if recording.wait(SLACK_SECONDS) != 0:
                raise SystemExit("py-spy could not sample the server; it needs the permission to trace other processes")
        root = read_stacks(stacks.read_text().splitlines())
    print(report.text())
    path.write_text(draw(root, f"The send path, SQLite: {root.samples:,} samples of threads that ran; {machine()}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--output", type=Path, default=RESULTS / "flame.svg")
    options = parser.parse_args()
    build()
    record(options.output, options.seconds)
    print(f"written to {options.output}, {options.output.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
