"""`fechatter bench` as a process: it starts its own server, prints a report and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from tests.servers.process import PATIENCE_SECONDS

BENCH = [sys.executable, "-m", "fechatter", "bench"]


def test_a_measurement_starts_and_removes_its_own_server(tmp_path: Path) -> None:
    picture = tmp_path / "send.svg"
    options = ["--seconds", "1", "--rate", "50", "--connections", "4", "--json", "--picture", str(picture)]
    done = subprocess.run(
        [*BENCH, "send", *options],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert 0 < report["figures"]["rate_per_second"] <= 55
    assert report["figures"]["refused"] == 0
    assert 0 < report["figures"]["p50_ms"] <= report["figures"]["p99_ms"] <= report["figures"]["max_ms"]
    assert sum(bar["count"] for bar in report["latencies"]) == pytest.approx(50, abs=5)
    assert "without effective rate limits" in report["target"]
    assert "open loop" in report["how"]
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert not list(tmp_path.glob("fechatter-bench-*"))


@pytest.fixture
def running_bench(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A measurement that has just started its server."""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([*BENCH, "idle"], stderr=subprocess.PIPE, text=True, env=environment) as process:
        while not psutil.Process(process.pid).children():
            assert process.poll() is None
            time.sleep(0.001)
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_measurement_leaves_no_server(
    tmp_path: Path, running_bench: subprocess.Popen[str], number: signal.Signals
) -> None:
    servers = psutil.Process(running_bench.pid).children()
    running_bench.send_signal(number)
    _, errors = running_bench.communicate(timeout=60)
    assert running_bench.returncode == 130, errors
    assert psutil.wait_procs(servers, timeout=PATIENCE_SECONDS)[1] == []
    assert not list(tmp_path.glob("fechatter-bench-*"))


def test_repeated_signals_do_not_prevent_the_servers_stop(tmp_path: Path, running_bench: subprocess.Popen[str]) -> None:
    servers = psutil.Process(running_bench.pid).children()
    running_bench.send_signal(signal.SIGINT)
    while psutil.pid_exists(running_bench.pid) and running_bench.poll() is None:
        running_bench.send_signal(signal.SIGTERM)
        time.sleep(0.005)
    running_bench.communicate(timeout=60)
    assert psutil.wait_procs(servers, timeout=PATIENCE_SECONDS)[1] == []
    assert not list(tmp_path.glob("fechatter-bench-*"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_the_server_of_a_killed_measurement_ends_too(running_bench: subprocess.Popen[str]) -> None:
    servers = psutil.Process(running_bench.pid).children()
    running_bench.kill()
    running_bench.communicate(timeout=60)
    assert psutil.wait_procs(servers, timeout=PATIENCE_SECONDS)[1] == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["send", "--seconds", "3600"], 2),
        (["send", "--rate", "0"], 2),
        (["send", "--url", "http://192.0.2.1"], 1),
        (["send", "--url", "http://127.0.0.1:1"], 1),
    ],
)
def test_load_without_limits_or_permission_is_refused(options: list[str], code: int) -> None:
    done = subprocess.run([*BENCH, *options], capture_output=True, text=True, timeout=30)
    assert done.returncode == code
    assert done.stderr
    assert "Traceback" not in done.stderr
