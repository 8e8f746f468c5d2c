"""`python -m fechatter.trial CHAIN KEY`: ends with 0 when Granian can serve with this certificate.

It is a process of its own because Granian's core aborts on what it cannot use, such as a key on a curve that TLS does not have.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from fechatter.address import bind
from fechatter.certificates import Certificate
from fechatter.errors import StartError
from fechatter.listening import Listening
from fechatter.open_files import FEWEST_CONNECTIONS
from fechatter.settings import Settings
from fechatter.tasks import Tasks

TRIAL_SECONDS = 30.0


async def try_out(certificate: Certificate) -> None:
    """Raises StartError when nobody could be served with it."""
    trial = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fechatter.trial", certificate.chain, certificate.key),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            code = await trial.wait()
    except TimeoutError:
        raise StartError(f"The certificate {certificate.chain} was not tried out within {TRIAL_SECONDS:.0f} seconds.") from None
    finally:
        if trial.returncode is None:
            trial.kill()
            await trial.wait()
    if code != 0:
        raise StartError(f"Nobody can be served with the certificate {certificate.chain}: TLS has no use for its kind of key.")


async def _serve(chain: str, key: str) -> None:
    tasks = Tasks(lambda _name, error: sys.exit(str(error)))
    with bind(Settings(port=0)) as held:
        listening = Listening(_nothing, held, FEWEST_CONNECTIONS, tasks)
        await listening.serve(Certificate(Path(chain), Path(key), b""))
        listening.stop()
        await listening.ended(TRIAL_SECONDS)


async def _nothing(*_: object) -> None:
    """Nobody knows where to ask."""


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
