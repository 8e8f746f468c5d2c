"""`python -m fechatter.process.trial CHAIN KEY`: exits with 0 if Granian can serve with this certificate.

It runs as a separate process because Granian's core aborts on a key that it cannot use. One example is a key on a curve
that TLS does not support. It exits with REFUSED, or is killed by SIGABRT, only for that reason.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from fechatter.errors import StartError
from fechatter.process.address import bind
from fechatter.process.certificates import Certificate
from fechatter.process.listening import Listening
from fechatter.process.open_files import MIN_CONNECTIONS
from fechatter.settings import Settings
from fechatter.tasks import Tasks

TRIAL_SECONDS = 120.0
"""A busy machine may need seconds to start the process; the limit ends a process that hangs."""
REFUSED = 3


async def try_out(certificate: Certificate) -> None:
    """Test a certificate in a separate process.

    Raises StartError: Granian cannot serve with the certificate, or the trial failed for another reason.
    """
    trial = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fechatter.process.trial", certificate.chain, certificate.key),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            code = await trial.wait()
    except TimeoutError:
        raise StartError(f"{_untried(certificate)}: the trial took more than {TRIAL_SECONDS:.0f} seconds.") from None
    finally:
        if trial.returncode is None:
            trial.kill()
            await trial.wait()
    if code in (REFUSED, -signal.SIGABRT):
        files = f"The certificate {certificate.chain} with the key {certificate.key}"
        raise StartError(f"{files} cannot be used: TLS does not support its kind of key.")
    if code != 0:
        raise StartError(f"{_untried(certificate)}: the trial ended with exit code {code}.")


def _untried(certificate: Certificate) -> str:
    return f"The certificate {certificate.chain} could not be tested"


async def _serve(chain: str, key: str) -> int:
    """Serve with the certificate for a moment, and return the exit code."""
    tasks = Tasks(lambda _name, error: sys.exit(str(error)))
    with bind(Settings(port=0)) as bound:
        listening = Listening(_nothing, bound, MIN_CONNECTIONS, tasks)
        try:
            await listening.serve(Certificate(Path(chain), Path(key), b""))
        except StartError:
            return REFUSED
        listening.stop()
        await listening.ended(TRIAL_SECONDS)
    return 0


async def _nothing(*_: object) -> None:
    """The app of the trial. It gets no requests, because no client knows the port."""


if __name__ == "__main__":
    # At the end of the interpreter, a thread of Granian may still run and would abort the process.
    os._exit(asyncio.run(_serve(*sys.argv[1:])))
