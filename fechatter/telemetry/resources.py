"""Metrics of this process from the operating system. On a system without /proc, some values are unknown."""

from __future__ import annotations

import gc
import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from fechatter.telemetry import names
from fechatter.telemetry.exposition import Reading, unlabeled

STARTED_AT = time.time()
_PROC = Path("/proc/self")


def readings() -> Iterator[Reading]:
    """Yield the metrics of processor, memory, files, threads and garbage collector."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield unlabeled(names.CPU, used.ru_utime + used.ru_stime)
    yield unlabeled(names.STARTED, STARTED_AT)
    yield unlabeled(names.THREADS, threading.active_count())
    yield unlabeled(names.FILES_MAX, _most_files())
    has_proc = _PROC.is_dir()
    yield unlabeled(names.MEMORY, _resident_bytes() if has_proc else None)
    yield unlabeled(names.FILES, len(os.listdir(_PROC / "fd")) if has_proc else None)
    generations = list(enumerate(gc.get_stats()))
    yield Reading(names.COLLECTIONS, {(str(number),): each["collections"] for number, each in generations})
    yield Reading(names.COLLECTED, {(str(number),): each["collected"] for number, each in generations})


def _most_files() -> int | None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _resident_bytes() -> int:
    return int((_PROC / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
