"""The arguments of the commands of administration."""

from __future__ import annotations

from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

PERSON_HELP = "e-mail address, handle or id"
ROLES = ("owner", "admin", "member", "guest")


def add_administration(commands: _SubParsersAction[ArgumentParser], shared: ArgumentParser) -> None:
    """Add `users`, `workspaces` and `sessions`; passwords are asked for, or read from standard input."""
    each = ArgumentParser(add_help=False, parents=[shared])
    each.add_argument("--json", action="store_true", help="answer in JSON")
    within = ArgumentParser(add_help=False, parents=[each])
    within.add_argument("--workspace", metavar="SLUG", help="needed when there are several")
    _add_users(commands.add_parser("users", help="list, create, disable and enable people; reset passwords"), within)
    _add_workspaces(commands.add_parser("workspaces", help="list, create, rename and delete workspaces"), each, within)
    _add_sessions(commands.add_parser("sessions", help="show and end people's sessions"), within)


def add_keeping(commands: _SubParsersAction[ArgumentParser], shared: ArgumentParser) -> None:
    """Add `backup`, `restore` and `export`."""
    each = ArgumentParser(add_help=False, parents=[shared])
    each.add_argument("--json", action="store_true", help="answer in JSON")
    backup = commands.add_parser("backup", parents=[each], help="everything in one file, while the server runs")
    backup.add_argument("file", type=Path, metavar="FILE", help="a file that is not there yet")
    restore = commands.add_parser("restore", parents=[each], help="a backup into an empty place, on SQLite or PostgreSQL")
    restore.add_argument("file", type=Path, metavar="FILE", help="made by `fechatter backup`")
    export = commands.add_parser("export", parents=[each], help="a workspace as lines of JSON, for other programs")
    export.add_argument("--workspace", metavar="SLUG", help="needed when there are several")
    export.add_argument("file", type=Path, metavar="FILE", help="a file that is not there yet, or - for standard output")


def _add_sessions(sessions: ArgumentParser, within: ArgumentParser) -> None:
    actions = sessions.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("list", parents=[within], help="where a person is signed in").add_argument("person", help=PERSON_HELP)
    revoke = actions.add_parser("revoke", parents=[within], help="end all sessions of a person, or one")
    revoke.add_argument("person", help=PERSON_HELP)
    revoke.add_argument("--session", type=int, metavar="ID", help="only this one")


def _add_users(users: ArgumentParser, within: ArgumentParser) -> None:
    actions = users.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("list", parents=[within], help="everybody, disabled people too")
    create = actions.add_parser("create", parents=[within], help="make an account; asks for the password")
    create.add_argument("email")
    create.add_argument("--fullname", required=True, metavar="NAME")
    create.add_argument("--role", choices=ROLES, default="member")
    for name, meaning in (
        ("disable", "keep somebody out; ends their sessions and invitations"),
        ("enable", "let somebody in again"),
        ("reset-password", "set a new password; ends all sessions"),
        ("reset-link", "create a link that lets somebody set a new password, once and within a day"),
        ("make-owner", "give somebody the role owner"),
    ):
        actions.add_parser(name, parents=[within], help=meaning).add_argument("person", help=PERSON_HELP)


def _add_workspaces(workspaces: ArgumentParser, each: ArgumentParser, within: ArgumentParser) -> None:
    actions = workspaces.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("list", parents=[each], help="every workspace of this server")
    create = actions.add_parser("create", parents=[each], help="make a workspace and its owner; asks for the password")
    create.add_argument("name")
    create.add_argument("--email", required=True, help="of the owner")
    create.add_argument("--fullname", required=True, metavar="NAME", help="of the owner")
    rename = actions.add_parser("rename", parents=[within], help="give a workspace another name; its slug stays")
    rename.add_argument("name")
    delete = actions.add_parser("delete", parents=[within], help="delete a workspace with everything in it, for ever")
    delete.add_argument("--yes", metavar="NAME", help="its name, instead of typing it")
