"""The benches: the load of each, and the figures that it measures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from fechatter.bench import requests
from fechatter.bench.listening import Stream, idle_bytes, listen
from fechatter.bench.load import WARM_UP_SECONDS, ClosedLoop, Load, OpenLoop, Write
from fechatter.bench.machine import machine
from fechatter.bench.own_server import OwnServer
from fechatter.bench.report import Report, bars, figures_of, latency_figures, notes_of
from fechatter.bench.target import LoadTarget
from fechatter.bench.workspace import LoadWorkspace
from fechatter.errors import StartError

DELIVERY_SECONDS = 60.0
TIMED_STREAMS = 10
REQUESTS: dict[str, Callable[[LoadWorkspace, int], list[Write]]] = {
    "send": requests.sends,
    "batch": requests.batches,
    "list": requests.pages,
    "auth": requests.checks,
    "queries": requests.queries,
}


class Wanted(msgspec.Struct, frozen=True):
    """The amount of load. Without `rate` (requests per second), the load is a closed loop."""

    seconds: float = 10.0
    connections: int = 64
    rate: float | None = None
    listeners: int = 200

    def how(self) -> str:
        """Describe the loop and the meaning of its latencies."""
        over = f"over {self.connections} connections, {self.seconds:g} s"
        if self.rate is None:
            return f"closed loop: capacity {over}; latencies are those of a server at full load"
        return f"open loop: {self.rate:,g}/s {over}; latencies count from when a request was due"

    def load(self, target: LoadTarget, writes: list[Write], warm_up: float = WARM_UP_SECONDS) -> Load:
        if self.rate is None:
            return ClosedLoop(target, writes, self.seconds, warm_up)
        return OpenLoop(target, writes, self.seconds, self.rate, warm_up)


async def measure(bench: str, target: LoadTarget, workspace: LoadWorkspace, wanted: Wanted) -> Report:
    """Run one bench other than `start`. Raises OSError, TimeoutError, StartError."""
    if bench == "idle":
        return await measure_idle(target, workspace, wanted.listeners)
    if bench == "deliver":
        return await measure_deliveries(target, workspace, wanted)
    return await measure_requests(bench, target, REQUESTS[bench](workspace, wanted.connections), wanted)


async def measure_requests(bench: str, target: LoadTarget, writes: list[Write], wanted: Wanted) -> Report:
    """Send `writes`, one connection each. Raises OSError, TimeoutError."""
    timing = await wanted.load(target, writes).run()
    return Report(bench, wanted.how(), "", machine(), figures_of(timing), bars(timing.latencies), notes_of(timing))


async def measure_deliveries(target: LoadTarget, workspace: LoadWorkspace, wanted: Wanted) -> Report:
    """Send to one chat with many listeners until every stream has received every message.

    Raises:
        OSError, TimeoutError: the server does not answer.
    """
    streams = await listen(target, workspace, wanted.listeners, timing=TIMED_STREAMS)
    writes = requests.sends(LoadWorkspace(workspace.people, workspace.chats[:1]), wanted.connections)
    began, cpu = time.perf_counter(), target.cpu_seconds()
    timing = await wanted.load(target, writes, warm_up=0).run()
    sent = len(timing.latencies) - timing.refused - timing.unanswered
    async with asyncio.timeout(DELIVERY_SECONDS):
        await asyncio.gather(*(stream.reach(sent) for stream in streams))
    used = target.cpu_seconds()
    found = _deliveries(streams, began) | figures_of(timing)
    if cpu is not None and used is not None and found["delivered"]:
        found["server_cpu_per_delivery_us"] = (used - cpu) / found["delivered"] * 1e6
    timed = min(TIMED_STREAMS, wanted.listeners)
    how = f"{wanted.how()}; {wanted.listeners:,} listeners; {timed} of them measure the time from due to shown"
    latencies = [latency for stream in streams for latency in stream.latencies]
    for stream in streams:
        stream.close()
    return Report("deliver", how, "", machine(), found, bars(latencies), notes_of(timing))


def _deliveries(streams: list[Stream], began: float) -> dict[str, float]:
    delivered = sum(stream.messages for stream in streams)
    seconds = max(stream.last_at for stream in streams) - began
    latencies = [latency for stream in streams for latency in stream.latencies]
    return {
        "delivered": delivered,
        "deliveries_per_second": delivered / seconds,
        **latency_figures(latencies, "shown_"),
    }


async def measure_idle(target: LoadTarget, workspace: LoadWorkspace, listeners: int) -> Report:
    """Measure the server's memory per quiet stream.

    Raises:
        OSError, TimeoutError: the server does not answer.
        StartError: the memory of the server cannot be read.
    """
    cost = await idle_bytes(target, workspace, listeners)
    if cost is None:
        raise StartError("The server's memory cannot be read. If it runs on this machine, name its process with --pid.")
    return Report("idle", f"{listeners:,} open, quiet streams", "", machine(), {"memory_of_a_stream_kib": cost / 1024})


def measure_start(server: OwnServer, rounds: int) -> Report:
    """Measure from the start of the process to the first response: with an empty folder, then with existing data.

    Raises:
        StartError: the server does not start.
    """
    found = [server.start()]
    for _ in range(rounds):
        server.stop()
        found.append(server.start())
    figures = {"first_seconds": found[0], "again_least_seconds": min(found[1:]), "again_most_seconds": max(found[1:])}
    return Report("start", f"one first start, {rounds} more", "", machine(), figures)
