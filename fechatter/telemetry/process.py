"""What the system says of this process. Where there is no /proc, what only it tells is left out."""

from __future__ import annotations

import gc
import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from fechatter.telemetry import names
from fechatter.telemetry.exposition import Reading, one

STARTED_AT = time.time()
_PROC = Path("/proc/self")


def readings() -> Iterator[Reading]:
    """Processor, memory, files, threads, garbage collector."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield one(names.CPU, used.ru_utime + used.ru_stime)
    yield one(names.STARTED, STARTED_AT)
    yield one(names.THREADS, threading.active_count())
    yield one(names.FILES_MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    if _PROC.is_dir():
        pages = int((_PROC / "statm").read_text().split()[1])
        yield one(names.MEMORY, pages * os.sysconf("SC_PAGE_SIZE"))
        yield one(names.FILES, len(os.listdir(_PROC / "fd")))
    generations = list(enumerate(gc.get_stats()))
    yield Reading(names.COLLECTIONS, {(str(number),): each["collections"] for number, each in generations})
    yield Reading(names.COLLECTED, {(str(number),): each["collected"] for number, each in generations})
