"""The routes of accounts over one database, with any number of clients."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import orjson
import pytest
from argon2 import PasswordHasher

from fechatter.accounts import signin
from fechatter.api.application import Application
from fechatter.api.routes import ROUTES
from fechatter.auth import passwords as hashing
from fechatter.auth.limits import AttemptLimits
from fechatter.auth.passwords import Passwords
from fechatter.auth.quotas import Quotas
from fechatter.auth.secrets import open_secrets
from fechatter.auth.tokens import AccessTokens
from fechatter.bus.single_node import SingleNodeBus
from fechatter.frames import block_json
from fechatter.settings import Settings
from fechatter.storage.engines.base import Database
from fechatter.telemetry.watch import Watch
from tests.engines import Published
from tests.hashing import QUICK

PASSWORD = "correct horse battery"
Session = dict[str, Any]
_names = itertools.count(1)


class Api:
    """Sends requests to the routes. Sign-up is open unless the test changes it."""

    def __init__(self, database: Database, published: Published, folder: Path, passwords: Passwords) -> None:
        self.database = database
        self.published = published
        self.passwords = passwords
        self.settings = Settings(data_dir=folder, signup="open", rate_limits=False)
        self.secrets = open_secrets(self.settings)
        self.tokens = AccessTokens(self.secrets.signing, 900)
        self.bus: Any = SingleNodeBus()
        self.watch = Watch()
        self.writer: Any = SimpleNamespace(busy_since=None, waiting=0, failing="", failed_at=0.0)
        self._client: httpx2.AsyncClient | None = None

    @property
    def client(self) -> httpx2.AsyncClient:
        if self._client is None:
            self.use(self.settings)
        assert self._client is not None
        return self._client

    def use(self, settings: Settings) -> None:
        """Serve with other settings."""
        self.settings = settings
        app = Application(ROUTES)
        app.services = SimpleNamespace(
            database=self.database,
            tokens=self.tokens,
            passwords=self.passwords,
            secrets=self.secrets,
            settings=settings,
            bus=self.bus,
            limits=AttemptLimits(enabled=settings.rate_limits),
            quotas=Quotas(settings),
            watch=self.watch,
            loops=list,
            writer=self.writer,
        )
        transport = httpx2.ASGITransport(app, client=("192.0.2.7", 1234))
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://chat.example")

    async def ask(
        self, who: Session | None, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx2.Response:
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        if who is not None:
            sent["authorization"] = f"Bearer {who['access_token']}"
        self.client.cookies.clear()
        return await self.client.request(method, path, json=body, headers=sent)

    async def owner(self, workspace: str | None = None, **more: Any) -> Session:
        """Create a workspace and return its owner's session."""
        number = next(_names)
        body = {"email": f"owner{number}@example.org", "password": PASSWORD, "fullname": f"Owner {number}"}
        body |= {"workspace": workspace or f"Workspace {number}", **more}
        return self.created(await self.ask(None, "POST", "/api/signup", body))

    async def invite(self, who: Session, **wanted: Any) -> dict[str, Any]:
        return self.created(await self.ask(who, "POST", "/api/invitations", wanted))

    async def colleague(self, host: Session, role: str = "member", **more: Any) -> Session:
        """Join the workspace by an invitation and return the new person's session."""
        return self.created(await self.join((await self.invite(host, role=role))["token"], **more))

    async def join(self, token: str, **more: Any) -> httpx2.Response:
        number = next(_names)
        body = {"email": f"person{number}@example.org", "password": PASSWORD, "fullname": f"Person {number}"}
        return await self.ask(None, "POST", "/api/signup", {**body, "invitation": token, **more})

    async def sign_in(self, who: Session, password: str = PASSWORD) -> httpx2.Response:
        body = {"email": who["user"]["email"], "password": password, "workspace": who["workspace"]["slug"]}
        return await self.ask(None, "POST", "/api/signin", body)

    async def refresh(self, token: str) -> httpx2.Response:
        return await self.ask(None, "POST", "/api/refresh", {"refresh_token": token})

    def created(self, answer: httpx2.Response) -> dict[str, Any]:
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def events(self) -> list[dict[str, Any]]:
        """Return the events published since the last call, decoded from their frames."""
        shown = [orjson.loads(block_json(frame.block)) for frame in self.published.frames]
        self.published.frames.clear()
        return shown

    async def is_signed_in(self, who: Session) -> bool:
        return (await self.ask(who, "GET", "/api/users/me")).status_code == 200


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Return status and code of a problem response."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def hasher() -> PasswordHasher:
    """Cheap hashes. Tests of the cost of hashing override this fixture."""
    return QUICK


@pytest.fixture
async def api(
    database: Database, published: Published, tmp_path: Path, hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    monkeypatch.setattr(signin, "REFUSED_SECONDS", 0.0)
    monkeypatch.setattr(hashing, "HASHER", hasher)
    passwords = Passwords()
    created = Api(database, published, tmp_path / "data", passwords)
    yield created
    await created.client.aclose()
    passwords.close()
