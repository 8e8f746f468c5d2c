"""One heavy member in a separate process: `python -m benches.heavy_member FILE` sends requests until SIGTERM.

FILE is JSON: `port`, `requests` (one connection each), and `slow`: whether each connection sends its body byte by byte.
At the end, the process prints the number of answers for each HTTP status.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import cast

import uvloop

SLOW_SECONDS = 0.2
"""The pause between two bytes of a slow body."""
NICENESS = 10
"""Real clients run on other machines, so this process must not take the processor from the server."""

answers: Counter[int] = Counter()


class Heavy(asyncio.Protocol):
    """One connection that repeats its request after each answer."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._head = b""
        self._left = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of the body without storing them."""
        if self._left < 0:
            self._head += data
            head, end, rest = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._left = int(head.lower().partition(b"content-length:")[2].split(b"\r", 1)[0])
            answers[int(head[9:12])] += 1
            data = rest
        self._left -= len(data)
        if self._left == 0:
            self._head, self._left = b"", -1
            self._transport.write(self._request)


async def _drip(port: int, request: bytes) -> None:
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head, _, body = request.partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        answer = asyncio.ensure_future(reader.read(64))
        for byte in body:
            writer.write(bytes([byte]))
            await asyncio.wait([answer], timeout=SLOW_SECONDS)
            if answer.done():
                break
        answers[int((await answer)[9:12] or 0)] += 1
        writer.close()


async def main() -> None:
    wanted = json.loads(Path(sys.argv[1]).read_text())  # noqa: ASYNC240  # nothing else runs yet
    os.nice(NICENESS)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    requests = [text.encode("latin-1") for text in wanted["requests"]]
    if wanted["slow"]:
        tasks = [asyncio.ensure_future(_drip(wanted["port"], request)) for request in requests]
    else:
        opening = asyncio.get_running_loop().create_connection
        for request in requests:
            await opening(lambda request=request: Heavy(request), "127.0.0.1", wanted["port"])  # type: ignore[misc]
    print("going", flush=True)
    await stop.wait()
    for task in tasks if wanted["slow"] else []:
        task.cancel()
    print(json.dumps({str(status): count for status, count in sorted(answers.items())}), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
