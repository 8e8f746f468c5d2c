"""Write the table of rights into SECURITY.md, between its two markers, and as JSON for the web client.

The web client hides actions that the server would refuse. `--check` changes nothing. The exit code is 1 if SECURITY.md
has no markers, or with `--check` if one of the two files is not current.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from fechatter.model import ChatType, Role
from fechatter.rights.table import CHAT, MAY_CHANGE, MAY_GIVE, WORKSPACE, ChatStanding, Rule

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "SECURITY.md"
CLIENT = ROOT / "fechatter" / "web" / "client" / "src" / "api" / "rights.json"
BEGIN, END = "<!-- rights: begin -->\n", "<!-- rights: end -->\n"
KINDS = {
    ChatType.SINGLE: "single",
    ChatType.GROUP: "group",
    ChatType.PRIVATE_CHANNEL: "private",
    ChatType.PUBLIC_CHANNEL: "public",
}


def main() -> int:
    """Write or check; returns the exit code."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        print(f"rights: {DOCUMENT.name} has no markers for the table", file=sys.stderr)
        return 1
    before, rest = text.split(BEGIN)
    printed = before + BEGIN + tables() + END + rest.split(END)[1]
    if "--check" in sys.argv[1:]:
        return 0 if printed == text and CLIENT.read_text(encoding="utf-8") == for_client() else 1
    DOCUMENT.write_text(printed, encoding="utf-8")
    CLIENT.write_text(for_client(), encoding="utf-8")
    return 0


def for_client() -> str:
    """Return the tables as JSON, with the names that the code uses."""
    chat = {
        action.name: {"kinds": sorted(rule.kinds), "who": sorted(rule.who), "archived": rule.archived}
        for action, rule in CHAT.items()
    }
    workspace = {action.name: sorted(roles) for action, roles in WORKSPACE.items()}
    people = {
        "give": {role: sorted(MAY_GIVE[role]) for role in Role},
        "change": {role: sorted(MAY_CHANGE[role]) for role in Role},
    }
    return json.dumps({"workspace": workspace, "chat": chat, "people": people}, indent=2) + "\n"


def tables() -> str:
    """Return all tables of rights as Markdown."""
    roles = [str(role) for role in Role]
    workspace = table(
        ["in the workspace", *roles], ([action, *marks(Role, allowed)] for action, allowed in WORKSPACE.items())
    )
    give = ([f"the {role} assigns the role", *marks(Role, MAY_GIVE[role])] for role in Role)
    change = ([f"the {role} changes, disables or enables the", *marks(Role, MAY_CHANGE[role])] for role in Role)
    standings = [str(who) for who in ChatStanding]
    chats = table(
        ["with a chat", *standings, "kinds", "archived"], ([action, *chat_row(rule)] for action, rule in CHAT.items())
    )
    return f"\n{workspace}\n{table(['with people', *roles], [*give, *change])}\n{chats}\n"


def chat_row(rule: Rule) -> list[str]:
    """Return the cells of an action: who may act, on which kinds of chat, and whether on archived chats too."""
    kinds = (
        "all"
        if len(rule.kinds) == len(KINDS)
        else ", ".join(name for kind, name in KINDS.items() if kind in rule.kinds)
    )
    return [*marks(ChatStanding, rule.who), kinds, "yes" if rule.archived else "·"]


def marks(each: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """Return `yes` for each allowed item and a dot for every other item."""
    return ["yes" if item in allowed else "·" for item in each]


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
