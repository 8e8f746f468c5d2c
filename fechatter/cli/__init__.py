"""The `fechatter` command: reads the settings and runs one of its subcommands.

The module of a subcommand is imported only when needed, so that `--version` and usage errors are fast.
"""

import argparse
import os
import sqlite3
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from fechatter import __version__
from fechatter.cli import terminal
from fechatter.cli.arguments import add_administration, add_backup_and_export
from fechatter.cli.bench_arguments import add_bench
from fechatter.cli.gateway_arguments import add_gateway
from fechatter.errors import StartError, StorageError
from fechatter.settings import Settings, SettingsError, load_settings

OK, FAILURE, USAGE = 0, 1, 2
STANDARD_ERROR = 2

EXIT_CODES = """\
exit codes:
  0  success; for serve: stopped normally
  1  failed or refused; the reason is on standard error
  2  not started: the command line, an argument or a setting is invalid
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    open_standard_streams()
    terminal.prepare()
    options = build_parser().parse_args(arguments)
    faults = list(terminal.undecodable_arguments(options))
    if faults:
        terminal.note("\n".join(f"fechatter: {fault}" for fault in faults))
        return USAGE
    try:
        if options.command == "config" and options.action == "docs":
            from fechatter.cli.config import docs

            return docs()
        return run(options, load_settings(options.config, os.environ))
    except SettingsError as error:
        terminal.note("\n".join(f"fechatter: {fault}" for fault in error.faults))
        return USAGE
    except StartError as error:
        if not (isinstance(error, terminal.OutputFailed) and error.closed):
            terminal.note(f"fechatter: {error}")
        return FAILURE
    except (OSError, sqlite3.Error) as error:
        terminal.note(f"fechatter: {_storage_trouble(error)}")
        return FAILURE
    except StorageError as error:
        terminal.note(f"fechatter: the database cannot be used ({error}); run `fechatter doctor` for a remedy.")
        return FAILURE


def _storage_trouble(error: OSError | sqlite3.Error) -> str:
    """Return one line for a disk or database error. Re-raises any other error."""
    from fechatter.disk.troubles import is_of_storage, trouble

    if not is_of_storage(error):
        raise error
    return trouble(error, Path("the data folder"))


def open_standard_streams() -> None:
    """Open the standard streams that are closed.

    Otherwise the database or a socket would get the number of a standard stream, and messages would be written into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        continue
    os.close(descriptor)
    sys.stderr = sys.stderr or open(STANDARD_ERROR, "w", closefd=False)  # noqa: SIM115


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run the named subcommand.

    Raises:
        StartError: it cannot do its work; the message states why.
    """
    match options.command:
        case "serve":
            from fechatter.cli.serve import serve

            return serve(settings, lambda: load_settings(options.config, os.environ))
        case "gateway":
            from fechatter.cli.gateway import gateway

            return gateway(settings, options, lambda: load_settings(options.config, os.environ))
        case "migrate":
            from fechatter.cli.migrate import migrate

            return migrate(settings)
        case "doctor":
            from fechatter.cli.doctor import doctor

            return doctor(settings, json=options.json)
        case "backup" | "restore":
            from fechatter.cli import backups

            return (
                backups.run_backup(settings, options)
                if options.command == "backup"
                else backups.run_restore(settings, options)
            )
        case "users" | "workspaces" | "sessions" | "export" | "bench":
            code: int = import_module(f"fechatter.cli.{options.command}").run(settings, options)
            return code
        case _:
            from fechatter.cli import config

            return config.check(settings) if options.action == "check" else config.show(settings)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser. `--config` may come before or after the subcommand."""
    parser = argparse.ArgumentParser(
        prog="fechatter",
        description="A real-time team chat server that people host themselves.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    config_help = "TOML file of settings; `fechatter config docs` lists them"
    parser.add_argument("--version", action="version", version=f"fechatter {__version__}")
    parser.add_argument("--config", type=Path, metavar="FILE", help=config_help)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help=config_help)

    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("serve", parents=[shared], help="start the server")
    add_gateway(commands, shared)
    commands.add_parser("migrate", parents=[shared], help="update the tables of the database and stop")
    doctor = commands.add_parser("doctor", parents=[shared], help="check the installation for problems")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    add_backup_and_export(commands, shared)
    add_administration(commands, shared)
    add_bench(commands, shared)
    config = commands.add_parser("config", help="check, show or document the settings")
    actions = config.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("check", parents=[shared], help="check whether the settings are valid")
    actions.add_parser("show", parents=[shared], help="show each value and its source")
    actions.add_parser("docs", parents=[shared], help="list every setting with its names, default and meaning")
    return parser
