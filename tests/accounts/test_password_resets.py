"""Password reset links: created by admins, used once by their holder."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from fechatter.accounts.administration import command_actor
from fechatter.accounts.removal import remove
from fechatter.model import Workspace
from fechatter.storage.engines.base import Transaction
from tests.accounts.conftest import PASSWORD, Api, Session, refusal

NEW = "a better password"
USED, REVOKED, EXPIRED = [(403, f"reset_link_{why}") for why in ("used", "revoked", "expired")]


async def create_link(api: Api, who: Session, whom: Session) -> dict[str, Any]:
    return api.created(await api.ask(who, "POST", f"/api/users/{whom['user']['id']}/password-reset"))


async def look_up(api: Api, token: str) -> Any:
    return await api.ask(None, "POST", "/api/password-resets/lookup", {"token": token})


async def use_link(api: Api, token: str, password: str = NEW, **headers: str) -> Any:
    return await api.ask(None, "POST", "/api/password-resets", {"token": token, "password": password}, **headers)


async def test_a_link_sets_a_new_password_once_and_ends_the_other_sessions(api: Api) -> None:
    owner = await api.owner("Engines")
    bob = await api.colleague(owner, fullname="Bob B.")
    made = await create_link(api, owner, bob)
    assert made["url"] == f"http://chat.example/reset#token={made['token']}"
    assert (await look_up(api, made["token"])).json() == {
        "workspace": {"slug": "engines", "name": "Engines"},
        "user": {"fullname": "Bob B.", "handle": "bob.b"},
        "email": bob["user"]["email"],
        "expires_at": made["expires_at"],
    }
    session = await use_link(api, made["token"])
    assert session.status_code == 200
    assert session.json()["user"]["id"] == bob["user"]["id"]
    assert (await api.is_signed_in(session.json()), await api.is_signed_in(bob)) == (True, False)
    assert refusal(await api.sign_in(bob)) == (401, "wrong_credentials")
    assert (await api.sign_in(bob, NEW)).status_code == 200
    assert refusal(await use_link(api, made["token"])) == refusal(await look_up(api, made["token"])) == USED
    acts = [entry["action"] for entry in (await api.ask(owner, "GET", "/api/audit")).json()["items"]]
    assert {"user.reset_link_created", "user.password_reset"} <= set(acts)


async def test_the_token_is_not_stored(api: Api) -> None:
    owner = await api.owner()
    made = await create_link(api, owner, await api.colleague(owner))
    [row] = await api.database.read(
        lambda tx: tx.fetch("SELECT token_hash FROM password_resets WHERE id = $1", made["id"])
    )
    assert made["token"].encode() not in bytes(row["token_hash"])
    assert made["token"] not in (await api.ask(owner, "GET", "/api/audit")).text


async def test_a_browser_gets_its_refresh_token_in_the_cookie(api: Api) -> None:
    owner = await api.owner()
    made = await create_link(api, owner, await api.colleague(owner))
    answer = await use_link(api, made["token"], x_requested_with="fechatter")
    assert "refresh_token" not in answer.json()
    assert answer.headers["set-cookie"].startswith(f"fechatter_refresh_{api.secrets.server_id}_")


async def test_a_new_link_revokes_the_previous_one(api: Api) -> None:
    owner = await api.owner()
    bob = await api.colleague(owner)
    first, second = await create_link(api, owner, bob), await create_link(api, owner, bob)
    assert refusal(await use_link(api, first["token"])) == refusal(await look_up(api, first["token"])) == REVOKED
    assert (await use_link(api, second["token"])).status_code == 200


async def test_concurrent_requests_use_a_link_only_once(api: Api) -> None:
    owner = await api.owner()
    made = await create_link(api, owner, await api.colleague(owner))
    answers = await asyncio.gather(*(use_link(api, made["token"]) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, *[403] * 5]


async def test_expired_and_unknown_links_are_refused(api: Api) -> None:
    owner = await api.owner()
    made = await create_link(api, owner, await api.colleague(owner))

    async def age(tx: Transaction) -> None:
        await tx.execute("UPDATE password_resets SET expires_at = $1 WHERE id = $2", tx.now, made["id"])

    await api.database.write_unlocked(age)
    assert refusal(await use_link(api, made["token"])) == refusal(await look_up(api, made["token"])) == EXPIRED
    for token in ("", "unknown", made["token"][:-1], f"{made['token']} ", "\u0000"):
        assert refusal(await use_link(api, token)) == refusal(await look_up(api, token)) == (404, "not_found")


async def test_an_invalid_password_does_not_use_up_the_link(api: Api) -> None:
    owner = await api.owner()
    made = await create_link(api, owner, await api.colleague(owner))
    assert refusal(await use_link(api, made["token"], "short")) == (422, "invalid")
    assert (await use_link(api, made["token"])).status_code == 200


async def test_a_disabled_person_gets_the_reason_and_cannot_reset_the_password(api: Api) -> None:
    owner = await api.owner()
    bob = await api.colleague(owner)
    made = await create_link(api, owner, bob)
    await api.ask(owner, "PATCH", f"/api/users/{bob['user']['id']}", {"disabled": True})
    assert (
        refusal(await use_link(api, made["token"]))
        == refusal(await look_up(api, made["token"]))
        == (403, "account_disabled")
    )
    await api.ask(owner, "PATCH", f"/api/users/{bob['user']['id']}", {"disabled": False})
    assert (await use_link(api, made["token"])).status_code == 200


async def test_a_link_loses_its_effect_with_its_authors_rights(api: Api) -> None:
    owner = await api.owner()
    admin, bob = await api.colleague(owner, "admin"), await api.colleague(owner)
    made = await create_link(api, admin, bob)
    await api.ask(owner, "PATCH", f"/api/users/{bob['user']['id']}", {"role": "owner"})
    assert refusal(await use_link(api, made["token"])) == REVOKED
    await api.ask(owner, "PATCH", f"/api/users/{bob['user']['id']}", {"role": "member"})
    await api.ask(owner, "PATCH", f"/api/users/{admin['user']['id']}", {"role": "guest"})
    assert refusal(await use_link(api, made["token"])) == REVOKED


async def test_a_password_change_revokes_the_link(api: Api) -> None:
    owner = await api.owner()
    bob = await api.colleague(owner)
    made = await create_link(api, owner, bob)
    changed = await api.ask(bob, "POST", "/api/password", {"current_password": PASSWORD, "new_password": NEW})
    assert changed.status_code == 204
    assert refusal(await use_link(api, made["token"], "a third password")) == REVOKED


async def test_nobody_can_create_links_for_themselves_for_higher_roles_or_in_other_workspaces(api: Api) -> None:
    owner, stranger = await api.owner(), await api.owner()
    admin, other, member = [await api.colleague(owner, role) for role in ("admin", "admin", "member")]

    async def asked(who: Session, whom: Session) -> tuple[int, str]:
        return refusal(await api.ask(who, "POST", f"/api/users/{whom['user']['id']}/password-reset"))

    forbidden = (403, "forbidden")
    assert [await asked(*pair) for pair in ((owner, owner), (admin, owner), (admin, other), (admin, admin))] == [
        forbidden
    ] * 4
    assert [await asked(member, whom) for whom in (admin, member)] == [forbidden] * 2
    assert await asked(stranger, member) == (404, "not_found")


async def test_guesses_are_limited(api: Api) -> None:
    owner = await api.owner()
    made = await create_link(api, owner, await api.colleague(owner))
    api.use(msgspec.structs.replace(api.settings, rate_limits=True))
    codes = [refusal(await use_link(api, f"guess {number}"))[1] for number in range(11)]
    assert codes == ["not_found"] * 10 + ["too_many_attempts"]
    assert refusal(await use_link(api, made["token"])) == (429, "too_many_attempts")
    assert (await look_up(api, made["token"])).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"token": 1, "password": NEW}, {"token": "x"}, {"token": "x", "password": NEW, "user": 1}]
)
async def test_invalid_bodies_are_refused(api: Api, body: dict[str, Any]) -> None:
    assert refusal(await api.ask(None, "POST", "/api/password-resets", body)) == (422, "invalid")


async def test_links_are_deleted_with_their_workspace(api: Api) -> None:
    owner = await api.owner()
    await create_link(api, owner, await api.colleague(owner))
    workspace = msgspec.convert(owner["workspace"], Workspace)
    await remove(api.database, command_actor(workspace.id, "root"), workspace)
    left = "SELECT id FROM password_resets WHERE workspace_id = $1"
    assert await api.database.read(lambda tx: tx.fetch(left, workspace.id)) == []
