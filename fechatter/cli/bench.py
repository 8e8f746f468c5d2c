"""`fechatter bench`: puts load on a new or running server and prints the measurements."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace

from fechatter.bench.claims import claims_text, read_claims
from fechatter.bench.connection import Refused
from fechatter.bench.interrupts import Interrupts
from fechatter.bench.picture import draw
from fechatter.bench.report import Report
from fechatter.bench.runs import Wanted
from fechatter.bench.session import Credentials, on_own_server, on_running_server
from fechatter.bench.target import LoadTarget, parse_target
from fechatter.cli.terminal import as_json, note, read_line, show
from fechatter.errors import Invalid, StartError
from fechatter.settings import Settings

OK, INTERRUPTED = 0, 130


def run(settings: Settings, options: Namespace) -> int:
    """Measure and print the report. Raises StartError."""
    if options.action == "claims":
        show(as_json(read_claims()) if options.json else claims_text(read_claims()))
        return OK
    interrupts = Interrupts()
    interrupts.install()
    try:
        report = _measure(options, interrupts)
    except KeyboardInterrupt:
        note("fechatter: interrupted; no measurement was completed")
        return INTERRUPTED
    except Refused as error:
        raise StartError(str(error)) from error
    except OSError as error:  # also TimeoutError
        raise StartError(f"The server closed the connection or did not answer in time ({error!r}).") from error
    if options.picture:
        options.picture.write_text(draw(report), encoding="utf-8")
    show(as_json(report) if options.json else report.text())
    return OK


def _measure(options: Namespace, interrupts: Interrupts) -> Report:
    wanted = Wanted(options.seconds, options.connections, options.rate, options.listeners)
    if options.url is None:
        return on_own_server(options.action, wanted, options.database_url, interrupts)
    target = parse_target(options.url, options.pid, owned=options.i_own_this_server)
    with interrupts.allowed():
        return on_running_server(options.action, wanted, target, _access(options, target))


def _access(options: Namespace, target: LoadTarget) -> Credentials:
    """Return the account for the load. Raises StartError: none is named."""
    if options.token:
        return Credentials(token=options.token)
    if not options.email:
        raise StartError(f"Name an account on {target.host} with --email or --token.")
    return Credentials(email=options.email, password=_password())


def _password() -> str:
    if sys.stdin is not None and sys.stdin.isatty():
        return getpass.getpass("Password: ")
    try:
        return read_line()
    except EOFError:
        return ""
    except Invalid as error:
        raise StartError(error.detail) from error
