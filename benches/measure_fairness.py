"""Measures the effect of one heavy member on the others: `make fairness`, or `python -m benches.measure_fairness`.

A heavy member repeats expensive requests on many connections. The others send at a quarter of the capacity of the
server, alternately with and without the heavy member. The option
`--old FOLDER` alternates between this checkout and a second one, whose extension must be built.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from benches.figures import RESULTS, header
from fechatter.bench.connection import write_request
from fechatter.bench.own_server import OwnServer
from fechatter.bench.runs import Wanted, measure
from fechatter.bench.workspace import PASSWORD, LoadPerson, LoadWorkspace, create_load_workspace
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.opening import open_database
from tests.servers.postgres import Postgres

CONNECTIONS, HEAVY_CONNECTIONS = 32, 20
TURN_SECONDS = 2.0
CAPACITY_SECONDS = 4.0
SHARE = 0.25
CHATS, PEOPLE, LARGE_MESSAGES = 5_000, 20_000, 100
FIRST_ID = 10**12
BATCH_BYTES = 6 * 1024 * 1024
_NUMBERS = {
    "SQLite": "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) ",
    "PostgreSQL": "WITH n AS (SELECT generate_series(1, {count}) AS n) ",
}
_FILLS = [
    (
        PEOPLE,
        """INSERT INTO users (id, workspace_id, email, email_key, password_hash,
            fullname, fullname_key, handle, handle_key, role, created_at)
        SELECT {id} + n, {workspace}, 'p' || n || '@example.org', 'p' || n || '@example.org', '',
            'Extra ' || n, 'extra ' || n, 'extra' || n, 'extra' || n, 'member', 0 FROM n""",
    ),
    (
        CHATS,
        """INSERT INTO chats (id, workspace_id, chat_type, name, name_key,
            owner_id, creator_id, member_count, created_at, updated_at)
        SELECT {id} + n, {workspace}, 'private_channel', 'Heavy ' || n, 'heavy ' || n,
            {heavy}, {heavy}, 2, 0, 0 FROM n""",
    ),
    (
        CHATS,
        "INSERT INTO timelines (id, chat_id, last_number, last_message_id) "
        "SELECT {id} + n, {id} + n, 1, {id} + n FROM n",
    ),
    (
        CHATS,
        """INSERT INTO messages (id, chat_id, number, sender_id, content, created_at)
        SELECT {id} + n, {id} + n, 1, {heavy}, 'The last message of this chat, as long as most are.', 0 FROM n""",
    ),
    *[
        (
            CHATS,
            "INSERT INTO memberships (chat_id, user_id, workspace_id, role, joined_seq, joined_at) "
            f"SELECT {{id}} + n, {who}, {{workspace}}, 'member', 1, {place} FROM n",
        )
        for place, who in enumerate(["{heavy}", "{id} + n"])
    ],
    (
        PEOPLE,
        "INSERT INTO memberships (chat_id, user_id, workspace_id, role, joined_seq, joined_at) "
        "SELECT {chat}, {id} + n, {workspace}, 'member', 1, 5 FROM n",
    ),
]


async def _fill(address: str, heavy: LoadPerson, chat: int) -> None:
    """Add 5,000 chats of the heavy member, and 20,000 people to one of its chats."""
    database: Database = await open_database(address, lambda frames, signals: None)

    async def work(tx: Transaction) -> None:
        row = await tx.fetchrow("SELECT id FROM workspaces")
        assert row is not None
        for count, sql in _FILLS:
            numbers = _NUMBERS[database.engine].format(count=count)
            insert, _, select = sql.partition("SELECT")
            text = (
                f"{numbers}{insert}SELECT{select}"
                if database.engine == "SQLite"
                else f"{insert}{numbers}SELECT{select}"
            )
            await tx.execute(text.format(id=FIRST_ID, workspace=row["id"], heavy=heavy.id, chat=chat))

    await database.write_unlocked(work)
    if database.engine == "PostgreSQL":
        # Autovacuum does this about a minute after such a change.
        await database.write_unlocked(lambda tx: tx.execute("ANALYZE"))
    await database.close()


def heavy_kinds(place: LoadWorkspace, heavy: list[LoadPerson]) -> dict[str, list[bytes]]:
    """Return the requests of each kind of heavy member: one request for each connection."""
    one, chat = heavy[0], place.chats[0]
    others = iter(heavy[1:])
    gets = {
        "sync of 5,000 chats": "/api/sync",
        "pages of history": f"/api/chat/{place.chats[1]}/messages?limit=100",
        "search of people": "/api/users?q=extra%201999&limit=100",
        "lists of members": f"/api/chat/{chat}/members?limit=100",
        "the event log": "EVENTS",
    }
    kinds = {
        name: [write_request("GET", path, (one if number == 0 else next(others)).token)] * HEAVY_CONNECTIONS
        for number, (name, path) in enumerate(gets.items())
    }
    batch = f"/api/chat/{chat}/messages/batch"
    message = b'{"content":"a"},'
    too_many = b'{"messages":[' + (message * (BATCH_BYTES // len(message) - 2))[:-1] + b"]}"
    kinds["refused batches"] = [write_request("POST", batch, next(others).token, too_many)] * 4
    edit = json.dumps({"fullname": "Heavy Member"}).encode()
    kinds["changes"] = [write_request("PATCH", "/api/users/me", next(others).token, edit)] * HEAVY_CONNECTIONS
    who = json.dumps({"email": "person1@example.com", "password": PASSWORD}).encode()
    kinds["sign-ins from one address"] = [write_request("POST", "/api/signin", None, who)] * HEAVY_CONNECTIONS
    slow = write_request("POST", batch, "TOKEN", b" " * 1000)
    kinds["slow bodies of eight"] = [
        slow.replace(b"TOKEN", person.token.encode()) for person in heavy for _ in range(4)
    ]
    return kinds


class Side:
    """One version of the server on one engine."""

    def __init__(self, name: str, url: str | None, checkout: Path | None) -> None:
        self.name, self.server = name, OwnServer(url)
        self._address = url or f"sqlite://{self.server.folder / 'fechatter.db'}"
        if checkout is not None:
            self.server.environment["PYTHONPATH"] = str(checkout)
        self.ratios: dict[str, list[float]] = {}
        self.figures: dict[str, list[tuple[float, float, float, float]]] = {}
        self.answers: dict[str, str] = {}

    def start(self) -> None:
        self.server.start()
        asyncio.run(self._furnish())

    async def _furnish(self) -> None:
        target = self.server.target
        place = await create_load_workspace(target, self.server.read_setup_token(), people=24, chats=20)
        await _fill(self._address, place.people[1], place.chats[0])
        others = [place.people[0], *place.people[9:]]
        self._others = LoadWorkspace(others, place.chats[2:])
        self.kinds = heavy_kinds(place, place.people[1:9])
        from fechatter.bench.connection import open_connection

        connection = await open_connection(target)
        # Other processes have written to the database, so only a cursor from now on is certain to be in the log's era.
        cursor = (await connection.ask("GET", "/api/sync", others[0].token))["cursor"]
        path = f"/api/chat/{place.chats[1]}/messages/batch"
        for content in ["ü" * 4000, *["A message of the event log."] * 9]:
            await connection.ask("POST", path, others[0].token, {"messages": [{"content": content}] * LARGE_MESSAGES})
        path = f"/api/events?after={cursor}&limit=1000"
        self.kinds["the event log"] = [write_request("GET", path, place.people[5].token)] * HEAVY_CONNECTIONS
        connection.close()

    def capacity(self) -> float:
        """Return how many messages per second 64 connections can send in a closed loop."""
        return self._send(Wanted(CAPACITY_SECONDS, 64))[2]

    def _send(self, wanted: Wanted) -> tuple[float, float, float]:
        """Return p50 and p99 in milliseconds, and the rate."""
        found = uvloop.run(measure("send", self.server.target, self._others, wanted)).figures
        return found["p50_ms"], found["p99_ms"], found["rate_per_second"]

    def compare(self, kind: str, rate: float) -> None:
        """Measure once without and once with the heavy member."""
        wanted = Wanted(TURN_SECONDS, CONNECTIONS, rate)
        p50, p99, _ = self._send(wanted)
        with self._heavy(kind):
            slow_p50, slow_p99, _ = self._send(wanted)
        self.figures.setdefault(kind, []).append((p50, p99, slow_p50, slow_p99))
        print(
            f"  {self.name:<16} {kind:<28} p50 {p50:.1f} -> {slow_p50:.1f}"
            f"  p99 {p99:.1f} -> {slow_p99:.1f}  {self.answers[kind]}",
            flush=True,
        )

    @contextmanager
    def _heavy(self, kind: str) -> Iterator[None]:
        file = self.server.folder / "heavy.json"
        requests = [request.decode("latin-1") for request in self.kinds[kind]]
        file.write_text(
            json.dumps({"port": self.server.target.port, "requests": requests, "slow": kind.startswith("slow")})
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "benches.heavy_member", str(file)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "going\n"
            yield
        finally:
            process.terminate()
            self.answers[kind] = process.communicate(timeout=20)[0].strip()

    def rows(self) -> list[str]:
        """Return the rows of the Markdown table, one for each kind."""
        rows = []
        for kind, each in self.figures.items():
            p50, p99, slow_p50, slow_p99 = (statistics.median(column) for column in zip(*each, strict=True))
            ratios = sorted(one[3] / one[1] for one in each)
            ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            rows.append(
                f"| {self.name} | {kind} | {p50:.1f} -> {slow_p50:.1f} | {p99:.1f} -> {slow_p99:.1f} | {ratio} |"
            )
        return rows


def _measure(engine: str, postgres: Postgres | None, options: argparse.Namespace) -> list[str]:
    checkouts = {"new": None} | ({"old": options.old} if options.old else {})
    sides = [
        Side(f"{engine}, {name}", postgres.create_database() if postgres else None, folder)
        for name, folder in checkouts.items()
    ]
    try:
        for side in sides:
            side.start()
        rate = options.rate or SHARE * min(side.capacity() for side in sides)
        kinds = [
            kind
            for kind in sides[0].kinds
            if options.kind is None or any(kind.startswith(some) for some in options.kind)
        ]
        print(f"{engine}: the others send {rate:,.0f}/s", flush=True)
        for kind in kinds:
            for _ in range(options.rounds):
                for side in sides:
                    side.compare(kind, rate)
        return [f"\n{engine}: the others send {rate:,.0f}/s.\n", HEAD, *[row for side in sides for row in side.rows()]]
    finally:
        for side in sides:
            side.server.__exit__(None, None, None)


HEAD = "| server | heavy member | others' send p50, ms | p99, ms | p99 ratio (least to most) |\n|---|---|---|---|---|"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["SQLite", "PostgreSQL"], action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=float, help="sends of the others per second; default: a quarter of the capacity")
    parser.add_argument("--kind", action="append", help="only kinds that start with this text")
    parser.add_argument("--old", type=Path, help="a second checkout")
    parser.add_argument("--no-file", action="store_true")
    options = parser.parse_args()
    lines: list[str] = []
    for engine in options.engine or ["SQLite", "PostgreSQL"]:
        if engine == "SQLite":
            lines += _measure(engine, None, options)
            continue
        postgres = Postgres()
        postgres.start()
        try:
            lines += _measure(engine, postgres, options)
        finally:
            postgres.stop()
            postgres.remove()
    today = datetime.datetime.now(datetime.UTC).date()
    text = (
        f"# Fairness, {today}\n\n{header()}; {options.rounds} rounds of {TURN_SECONDS:g} s in turns\n"
        + "\n".join(lines)
        + "\n"
    )
    print(text)
    if not options.no_file:
        (RESULTS / f"{today}-fairness.md").write_text(text)


if __name__ == "__main__":
    main()
