"""Administration commands on each engine: their output, refusals and audit entries."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import orjson
import pytest

from fechatter.accounts import password_resets
from fechatter.auth.passwords import Passwords
from fechatter.cli import main
from fechatter.errors import Problem
from fechatter.storage import audit, migrate, users
from tests.cli.workspace_rows import counts, fill, read_database

PASSWORD = "correct horse battery"
ADA = ["--email", "ada@example.org", "--fullname", "Ada"]


class Terminal:
    """Runs commands. `text` is the content of standard input."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def run(self, *arguments: str, text: str = f"{PASSWORD}\n") -> tuple[int, str, str]:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(text))
        code = main(arguments)
        return code, *self._capsys.readouterr()

    def run_json(self, *arguments: str, text: str = f"{PASSWORD}\n") -> Any:
        """Run a command that must succeed and return its JSON output."""
        code, output, errors = self.run(*arguments, "--json", text=text)
        assert code == 0, errors
        return orjson.loads(output)

    def run_refused(self, *arguments: str, text: str = f"{PASSWORD}\n") -> tuple[int, str]:
        """Run a command that must fail and return its exit code and problem code. Standard output must be empty."""
        code, output, errors = self.run(*arguments, "--json", text=text)
        assert output == ""
        return code, orjson.loads(errors.splitlines()[-1][errors.splitlines()[-1].index("{") :])["code"]


@pytest.fixture(params=["sqlite", "postgres"])
def terminal(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    """A terminal with an empty, migrated database."""
    monkeypatch.setenv("FECHATTER_DATA_DIR", str(tmp_path / "data"))
    if request.param == "postgres":
        monkeypatch.setenv("FECHATTER_DATABASE_URL", request.getfixturevalue("postgres_url"))
    assert main(["migrate"]) == 0
    capsys.readouterr()
    return Terminal(capsys, monkeypatch)


def audit_log(workspace_id: Any) -> list[audit.Entry]:
    return list(read_database(lambda tx: audit.page(tx, workspace_id, 0, 100)))


def link_refusal(token: str) -> str | None:
    """Return the code with which a reset link is refused, or None if it is valid."""
    try:
        read_database(lambda tx: password_resets.look_up(tx, token))
    except Problem as problem:
        return problem.code
    return None


def is_password(user: dict[str, Any], password: str) -> bool:
    account = read_database(lambda tx: users.by_email(tx, user["email"], "", 1))[0]
    passwords = Passwords(threads=1)
    try:
        return asyncio.run(passwords.verify(password, account.password_hash))
    finally:
        passwords.close()


def test_people_are_administered_from_creation_to_reset(terminal: Terminal) -> None:
    workspace = terminal.run_json("workspaces", "create", "Engines", *ADA)
    ada = terminal.run_json("users", "list")["items"][0]
    assert (workspace["slug"], ada["email"], ada["role"]) == ("engines", "ada@example.org", "owner")
    bob = terminal.run_json("users", "create", "bob@example.org", "--fullname", "Bob", "--role", "guest")
    assert (bob["role"], bob["handle"], is_password(bob, PASSWORD)) == ("guest", "bob", True)
    assert terminal.run_json("users", "disable", "@bob")["disabled"] is True
    assert terminal.run_json("users", "enable", "bob@example.org")["disabled"] is False
    assert terminal.run_json("users", "make-owner", str(bob["id"]))["role"] == "owner"
    terminal.run_json("users", "reset-password", "bob", text="another horse battery\n")
    assert is_password(bob, "another horse battery")
    assert terminal.run_json("sessions", "list", "bob") == {"items": []}
    assert terminal.run_json("sessions", "revoke", "bob") == {"ended": []}
    log = audit_log(workspace["id"])
    assert [entry.action for entry in log] == [
        "workspace.created",
        "user.created",
        "user.created",
        "user.disabled",
        "user.enabled",
        "user.role_changed",
        "user.password_reset",
    ]
    assert {(entry.actor_id, entry.origin.source, entry.origin.place) for entry in log} == {
        (None, "command_line", _current_user())
    }
    assert "horse" not in repr(log)
    assert "argon2" not in repr(log)


def test_a_workspace_created_by_command_has_a_default_channel(terminal: Terminal) -> None:
    workspace = terminal.run_json("workspaces", "create", "Engines", *ADA)
    for name, role in (("bob", "member"), ("gina", "guest")):
        terminal.run_json("users", "create", f"{name}@example.org", "--fullname", name, "--role", role)
    sql = "SELECT u.handle FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.chat_id = $1 ORDER BY u.id"
    rows = read_database(lambda tx: tx.fetch(sql, workspace["default_chat_id"]))
    assert [row["handle"] for row in rows] == ["ada", "bob"]


def _current_user() -> str:
    from fechatter.cli.administration import system_user

    return system_user()


def test_refusals_have_a_code_and_an_exit_code(terminal: Terminal) -> None:
    assert terminal.run_refused("users", "list") == (1, "workspace_not_found")
    terminal.run_json("workspaces", "create", "Engines", *ADA)
    assert terminal.run_refused("workspaces", "create", "engines", *ADA) == (1, "workspace_taken")
    assert terminal.run_refused("workspaces", "create", "…", *ADA) == (2, "invalid")
    assert terminal.run_refused("users", "create", "ada@example.org", "--fullname", "Ada") == (1, "email_taken")
    assert terminal.run_refused("users", "create", "no address", "--fullname", "Bob") == (2, "invalid")
    assert terminal.run_refused("users", "create", "bob@example.org", "--fullname", "Bob", text="short\n") == (
        2,
        "invalid",
    )
    assert terminal.run_refused("users", "disable", "nobody") == (1, "user_not_found")
    assert terminal.run_refused("users", "reset-password", "nobody") == (1, "user_not_found")
    assert terminal.run_refused("users", "disable", "ada") == (1, "last_owner")
    assert terminal.run_refused("users", "list", "--workspace", "nowhere") == (1, "workspace_not_found")
    assert terminal.run_refused("sessions", "list", "nobody") == (1, "user_not_found")
    assert terminal.run_refused("sessions", "revoke", "ada", "--session", "7") == (1, "session_not_found")
    terminal.run_json("workspaces", "create", "Looms", *ADA)
    assert terminal.run_refused("users", "list") == (2, "invalid")
    code, _, errors = terminal.run(
        "users", "create", "bob@example.org", "--fullname", "Bob", "--workspace", "looms", text=""
    )
    assert (code, errors) == (2, "fechatter: password: No password was given.\n")


def test_a_new_reset_link_revokes_the_previous_one(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.run_json("workspaces", "create", "Looms", *ADA)
    monkeypatch.setenv("FECHATTER_PUBLIC_URL", "https://chat.example.org:443")
    first, second = (terminal.run_json("users", "reset-link", "@ada") for _ in range(2))
    assert second["url"] == f"https://chat.example.org/reset#token={second['token']}"
    assert link_refusal(first["token"]) == "reset_link_revoked"
    assert link_refusal(second["token"]) is None
    terminal.run_json("users", "reset-password", "ada", text="another horse battery\n")
    assert link_refusal(second["token"]) == "reset_link_revoked"
    code, output, _ = terminal.run("users", "reset-link", "ada@example.org")
    assert (code, output.startswith("https://chat.example.org/reset#token=")) == (0, True)
    assert terminal.run_refused("users", "reset-link", "nobody") == (1, "user_not_found")


def test_a_workspace_is_deleted_completely_and_others_are_unchanged(terminal: Terminal) -> None:
    gone, kept = (terminal.run_json("workspaces", "create", name, *ADA) for name in ("Gone", "Kept"))
    fill(gone["id"])
    fill(kept["id"])
    before = counts(kept["id"])
    assert terminal.run_refused("workspaces", "delete", "--workspace", "gone", text="gone\n") == (1, "name_differs")
    assert terminal.run_refused("workspaces", "delete", "--workspace", "gone", "--yes", "Kept") == (1, "name_differs")
    assert terminal.run_json("workspaces", "delete", "--workspace", "gone", text="Gone\n")["id"] == gone["id"]
    assert [workspace["slug"] for workspace in terminal.run_json("workspaces", "list")["items"]] == ["kept"]
    assert set(counts(gone["id"]).values()) == {0}
    assert counts(kept["id"]) == before
    assert [entry.action for entry in audit_log(gone["id"])] == ["workspace.deleted"]
    terminal.run_json("workspaces", "delete", "--yes", "Kept")
    assert terminal.run_json("workspaces", "create", "Gone", *ADA)["slug"] == "gone"


def test_lists_are_printed_as_columns(terminal: Terminal) -> None:
    terminal.run_json("workspaces", "create", "Engines", *ADA)
    code, output, _ = terminal.run("users", "list")
    assert code == 0
    assert output.split()[1:] == ["ada@example.org", "@ada", "Ada", "owner"]


def test_commands_never_create_a_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("FECHATTER_DATA_DIR", str(tmp_path / "elsewhere"))
    assert main(["users", "list"]) == 1
    assert "There is no database" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()


def test_a_database_of_another_version_is_refused(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    known = migrate.available
    monkeypatch.setattr(
        migrate, "available", lambda engine: [*known(engine), migrate.Migration("9000", "9000_later.sql", "", "")]
    )
    code, output, errors = terminal.run("workspaces", "list")
    assert (code, output) == (1, "")
    assert "run `fechatter migrate`" in errors


def test_a_password_cannot_be_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["users", "reset-password", "ada", "--password", PASSWORD])
    assert ended.value.code == 2
    assert "unrecognized arguments" in capsys.readouterr().err
