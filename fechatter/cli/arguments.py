"""The arguments of the administration commands."""

from __future__ import annotations

from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

PERSON_HELP = "e-mail address, handle or id"
ROLES = ("owner", "admin", "member", "guest")


def add_administration(commands: _SubParsersAction[ArgumentParser], shared: ArgumentParser) -> None:
    """Add `users`, `workspaces` and `sessions`. Passwords come from the terminal or from standard input."""
    each = ArgumentParser(add_help=False, parents=[shared])
    each.add_argument("--json", action="store_true", help="print JSON")
    within = ArgumentParser(add_help=False, parents=[each])
    within.add_argument("--workspace", metavar="SLUG", help="required if there are several workspaces")
    _add_users(commands.add_parser("users", help="list, create, disable and enable people; reset passwords"), within)
    _add_workspaces(commands.add_parser("workspaces", help="list, create, rename and delete workspaces"), each, within)
    _add_sessions(commands.add_parser("sessions", help="list and end the sessions of people"), within)


def add_backup_and_export(commands: _SubParsersAction[ArgumentParser], shared: ArgumentParser) -> None:
    """Add `backup`, `restore` and `export`."""
    each = ArgumentParser(add_help=False, parents=[shared])
    each.add_argument("--json", action="store_true", help="print JSON")
    backup = commands.add_parser(
        "backup", parents=[each], help="write all data to one file, even while the server runs"
    )
    backup.add_argument("file", type=Path, metavar="FILE", help="path of a new file")
    restore = commands.add_parser(
        "restore", parents=[each], help="restore a backup into an empty SQLite or PostgreSQL database"
    )
    restore.add_argument("file", type=Path, metavar="FILE", help="a file that `fechatter backup` wrote")
    export = commands.add_parser(
        "export", parents=[each], help="write a workspace as lines of JSON, for other programs"
    )
    export.add_argument("--workspace", metavar="SLUG", help="required if there are several workspaces")
    export.add_argument("file", type=Path, metavar="FILE", help="path of a new file, or - for standard output")


def _add_sessions(sessions: ArgumentParser, within: ArgumentParser) -> None:
    actions = sessions.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("list", parents=[within], help="list the sessions of a person").add_argument(
        "person", help=PERSON_HELP
    )
    revoke = actions.add_parser("revoke", parents=[within], help="end one or all sessions of a person")
    revoke.add_argument("person", help=PERSON_HELP)
    revoke.add_argument("--session", type=int, metavar="ID", help="end only this session")


def _add_users(users: ArgumentParser, within: ArgumentParser) -> None:
    actions = users.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("list", parents=[within], help="list all people, including disabled ones")
    create = actions.add_parser("create", parents=[within], help="create an account; reads its password")
    create.add_argument("email")
    create.add_argument("--fullname", required=True, metavar="NAME")
    create.add_argument("--role", choices=ROLES, default="member")
    for name, meaning in (
        ("disable", "disable an account and end its sessions and invitations"),
        ("enable", "enable an account"),
        ("reset-password", "set a new password and end all sessions"),
        ("reset-link", "create a link with which a person can set a new password once, within a day"),
        ("make-owner", "change the role of a person to owner"),
    ):
        actions.add_parser(name, parents=[within], help=meaning).add_argument("person", help=PERSON_HELP)


def _add_workspaces(workspaces: ArgumentParser, each: ArgumentParser, within: ArgumentParser) -> None:
    actions = workspaces.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("list", parents=[each], help="list all workspaces of this server")
    create = actions.add_parser(
        "create", parents=[each], help="create a workspace and its owner; reads the owner's password"
    )
    create.add_argument("name")
    create.add_argument("--email", required=True, help="e-mail address of the owner")
    create.add_argument("--fullname", required=True, metavar="NAME", help="name of the owner")
    rename = actions.add_parser("rename", parents=[within], help="change the name of a workspace, but not its slug")
    rename.add_argument("name")
    delete = actions.add_parser("delete", parents=[within], help="delete a workspace and all its data permanently")
    delete.add_argument("--yes", metavar="NAME", help="confirm with the name of the workspace, without a prompt")
