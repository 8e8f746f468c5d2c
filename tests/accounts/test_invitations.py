"""Invitations over HTTP: creating, using, listing and revoking them."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from fechatter.storage.engines.base import Transaction
from tests.accounts.conftest import Api, refusal

REFUSED = (403, "invitation_refused")
REVOKED, USED, EXPIRED = [(403, f"invitation_{why}") for why in ("revoked", "used", "expired")]


async def test_an_invitations_token_is_shown_once_and_not_stored(api: Api) -> None:
    owner = await api.owner()
    made = await api.invite(owner, role="guest", max_uses=3)
    assert made["url"] == f"http://chat.example/join#token={made['token']}"
    listed = (await api.ask(owner, "GET", "/api/invitations")).json()["items"]
    assert [item["id"] for item in listed] == [made["id"]]
    assert "token" not in listed[0]
    assert "url" not in listed[0]
    looked_up = (await api.ask(None, "POST", "/api/invitations/lookup", {"token": made["token"]})).json()
    workspace = owner["workspace"]["name"]
    assert looked_up == {"workspace": workspace, "role": "guest", "email": None, "expires_at": made["expires_at"]}
    [row] = await api.database.read(lambda tx: tx.fetch("SELECT token_hash FROM invitations WHERE id = $1", made["id"]))
    assert made["token"].encode() not in bytes(row["token_hash"])


async def test_invitation_links_use_the_public_url(api: Api) -> None:
    owner = await api.owner()
    api.use(msgspec.structs.replace(api.settings, public_url="https://chat.example.org"))
    assert (await api.invite(owner))["url"].startswith("https://chat.example.org/join#token=")


@pytest.mark.parametrize("uses", [1, 3])
async def test_concurrent_sign_ups_use_an_invitation_exactly_as_often_as_allowed(api: Api, uses: int) -> None:
    owner = await api.owner()
    token = (await api.invite(owner, max_uses=uses))["token"]
    answers = await asyncio.gather(*(api.join(token) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * uses + [403] * (8 - uses)
    assert refusal(await api.join(token)) == USED
    assert len((await api.ask(owner, "GET", "/api/users")).json()["items"]) == 1 + uses


async def test_an_invitation_for_an_address_admits_only_that_address(api: Api) -> None:
    owner = await api.owner()
    token = (await api.invite(owner, email="Bob@example.org"))["token"]
    assert refusal(await api.join(token, email="eve@example.org")) == REFUSED
    assert (await api.join(token, email="bob@EXAMPLE.org")).status_code == 201
    assert refusal(await api.ask(owner, "POST", "/api/invitations", {"email": "b@example.org", "max_uses": 2})) == (
        422,
        "invalid",
    )


async def test_expired_and_revoked_invitations_state_their_reason_and_unknown_ones_do_not(api: Api) -> None:
    owner = await api.owner()
    revoked, expired = await api.invite(owner), await api.invite(owner)
    assert (await api.ask(owner, "DELETE", f"/api/invitations/{revoked['id']}")).status_code == 204
    assert refusal(await api.ask(owner, "DELETE", f"/api/invitations/{revoked['id']}")) == (404, "not_found")

    async def age(tx: Transaction) -> None:
        await tx.execute("UPDATE invitations SET expires_at = $1 WHERE id = $2", tx.now, expired["id"])

    await api.database.write_unlocked(age)
    for token, code in ((revoked["token"], REVOKED), (expired["token"], EXPIRED)):
        assert refusal(await api.join(token)) == code
        assert refusal(await api.ask(None, "POST", "/api/invitations/lookup", {"token": token})) == code
    for token in ("unknown", "", "\u0000", revoked["token"][:-1]):
        assert refusal(await api.join(token)) == REFUSED
        assert refusal(await api.ask(None, "POST", "/api/invitations/lookup", {"token": token})) == (404, "not_found")
    assert [item["id"] for item in (await api.ask(owner, "GET", "/api/invitations")).json()["items"]] == [expired["id"]]


async def test_nobody_can_invite_without_the_right_or_above_their_own_role(api: Api) -> None:
    owner = await api.owner()
    admin, member, guest = [await api.colleague(owner, role) for role in ("admin", "member", "guest")]
    allowed = {
        (who, role): (await api.ask(session, "POST", "/api/invitations", {"role": role})).status_code == 201
        for who, session in (("owner", owner), ("admin", admin), ("member", member), ("guest", guest))
        for role in ("owner", "admin", "member", "guest")
    }
    assert {pair for pair, answer in allowed.items() if answer} == {
        *(("owner", role) for role in ("owner", "admin", "member", "guest")),
        *(("admin", role) for role in ("admin", "member", "guest")),
    }
    assert refusal(await api.ask(member, "GET", "/api/invitations")) == (403, "forbidden")


async def test_an_invitation_loses_its_effect_with_its_authors_rights(api: Api) -> None:
    owner = await api.owner()
    admin, other = await api.colleague(owner, "admin"), await api.colleague(owner, "admin")
    of_demoted, of_disabled = (await api.invite(admin))["token"], (await api.invite(other))["token"]
    await api.ask(owner, "PATCH", f"/api/users/{admin['user']['id']}", {"role": "member"})
    await api.ask(owner, "PATCH", f"/api/users/{other['user']['id']}", {"disabled": True})
    assert refusal(await api.join(of_demoted)) == REVOKED
    assert refusal(await api.join(of_disabled)) == REVOKED
    await api.ask(owner, "PATCH", f"/api/users/{other['user']['id']}", {"disabled": False})
    assert refusal(await api.join(of_disabled)) == REVOKED


async def test_invitations_of_another_workspace_are_not_found(api: Api) -> None:
    owner, stranger = await api.owner(), await api.owner()
    made = await api.invite(owner)
    assert refusal(await api.ask(stranger, "DELETE", f"/api/invitations/{made['id']}")) == (404, "not_found")
    assert (await api.ask(stranger, "GET", "/api/invitations")).json()["items"] == []
    assert (await api.join(made["token"])).json()["workspace"] == owner["workspace"]


REFUSED_VALUES: list[dict[str, object]] = [
    *({"role": role} for role in ("root", None)),
    *({"max_uses": uses} for uses in (0, 10**9)),
    *({"expires_in_seconds": seconds} for seconds in (1, 10**12)),
    *({"email": "x"}, {"uses": 1}),
]


async def test_invalid_values_are_refused(api: Api) -> None:
    owner = await api.owner()
    for body in REFUSED_VALUES:
        assert refusal(await api.ask(owner, "POST", "/api/invitations", body)) == (422, "invalid")
