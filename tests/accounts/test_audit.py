"""Every administrative act over HTTP is in the audit log, which only owners can read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.accounts.conftest import PASSWORD, Api, Session, refusal


async def log_of(api: Api, who: Session) -> list[dict[str, Any]]:
    return list((await api.ask(who, "GET", "/api/audit?limit=100")).json()["items"])


async def actions(api: Api, who: Session) -> list[tuple[str, int]]:
    return [(entry["action"], entry["subject"]["id"]) for entry in await log_of(api, who)]


async def test_the_log_of_a_new_workspace_starts_with_its_creation(api: Api) -> None:
    owner = await api.owner("Audited")
    [entry] = await log_of(api, owner)
    workspace_id = owner["workspace"]["id"]
    assert entry | {"id": 0, "created_at": ""} == {
        "id": 0,
        "created_at": "",
        "action": "workspace.created",
        "actor_id": owner["user"]["id"],
        "source": "api",
        "address": "192.0.2.7",
        "system_user": None,
        "subject": {"type": "workspace", "id": workspace_id},
        "before": None,
        "after": {"name": "Audited"},
    }


async def test_changes_of_people_are_recorded_with_their_previous_values(api: Api) -> None:
    owner = await api.owner()
    member = await api.colleague(owner)
    path = f"/api/users/{member['user']['id']}"
    before = len(await log_of(api, owner))
    for wanted in ({"role": "admin"}, {"role": "admin"}, {"disabled": True}, {"role": "member", "disabled": False}):
        assert (await api.ask(owner, "PATCH", path, wanted)).status_code == 200
    recorded = [(entry["action"], entry["before"], entry["after"]) for entry in (await log_of(api, owner))[before:]]
    assert recorded == [
        ("user.role_changed", {"role": "member"}, {"role": "admin"}),
        ("user.disabled", None, None),
        ("user.role_changed", {"role": "admin"}, {"role": "member"}),
        ("user.enabled", None, None),
    ]


async def test_invitations_and_renames_are_recorded_without_secrets(api: Api) -> None:
    owner = await api.owner("Before the change")
    invitation = await api.invite(owner, email="guest@example.org", role="guest")
    await api.ask(owner, "DELETE", f"/api/invitations/{invitation['id']}")
    await api.ask(owner, "PATCH", "/api/workspace", {"name": "After the change"})
    log = await log_of(api, owner)
    assert [entry["action"] for entry in log[1:]] == ["invitation.created", "invitation.revoked", "workspace.renamed"]
    assert log[1]["after"]["role"] == "guest"
    assert (log[3]["before"], log[3]["after"]) == ({"name": "Before the change"}, {"name": "After the change"})
    for secret in (invitation["token"], PASSWORD, "argon2"):
        assert secret.encode() not in orjson.dumps(log)


async def test_refused_acts_and_acts_without_effect_are_not_recorded(api: Api) -> None:
    owner = await api.owner()
    member = await api.colleague(owner)
    before = await actions(api, owner)
    assert (await api.ask(member, "PATCH", "/api/workspace", {"name": "Mine"})).status_code == 403
    assert (await api.ask(member, "POST", "/api/invitations", {})).status_code == 403
    assert (await api.ask(owner, "PATCH", f"/api/users/{owner['user']['id']}", {"role": "member"})).status_code == 409
    assert (await api.ask(owner, "PATCH", f"/api/users/{member['user']['id']}", {"role": "member"})).status_code == 200
    assert await actions(api, owner) == before


@pytest.mark.parametrize("role", ["admin", "member", "guest"])
async def test_only_owners_can_read_the_log(api: Api, role: str) -> None:
    owner = await api.owner()
    other = await api.colleague(owner, role)
    assert refusal(await api.ask(other, "GET", "/api/audit")) == (403, "forbidden")
    assert refusal(await api.ask(None, "GET", "/api/audit")) == (401, "unauthorized")


async def test_the_log_contains_one_workspace_and_is_read_in_pages(api: Api) -> None:
    owner, stranger = await api.owner(), await api.owner()
    for number in range(4):
        await api.ask(owner, "PATCH", "/api/workspace", {"name": f"Name {number}"})
    whole = await log_of(api, owner)
    found, path = [], "/api/audit?limit=2"
    while path:
        page = (await api.ask(owner, "GET", path)).json()
        found += page["items"]
        path = f"/api/audit?limit=2&cursor={page['next']}" if page["next"] else ""
    assert found == whole
    assert len(whole) == 5
    assert [entry["action"] for entry in await log_of(api, stranger)] == ["workspace.created"]


async def test_acts_of_admins_on_other_peoples_chats_are_recorded(api: Api) -> None:
    owner = await api.owner()
    admin, member = await api.colleague(owner, "admin"), await api.colleague(owner)
    people = [person["user"]["id"] for person in (admin, member)]
    body = {"chat_type": "private_channel", "name": "Layoffs", "members": [people[0]]}
    chat = api.created(await api.ask(member, "POST", "/api/chat", body))
    path = f"/api/chat/{chat['id']}"
    before = len(await log_of(api, owner))
    for who, wanted in ((member, True), (member, False), (admin, True), (admin, True), (admin, False)):
        assert (await api.ask(who, "PATCH", path, {"archived": wanted})).status_code == 200
    assert (await api.ask(admin, "PATCH", f"{path}/members/{people[0]}", {"role": "owner"})).status_code == 200
    assert (await api.ask(admin, "PATCH", f"{path}/members/{people[1]}", {"role": "owner"})).status_code == 200
    assert (await api.ask(admin, "DELETE", path)).status_code == 204
    log = (await log_of(api, owner))[before:]
    assert [entry["action"] for entry in log] == [
        "chat.archived",
        "chat.unarchived",
        "chat.transferred",
        "chat.deleted",
    ]
    assert {entry["actor_id"] for entry in log} == {people[0]}
    assert log[2]["after"] == {"owner_id": people[0]}
    assert b"Layoffs" not in orjson.dumps(log)


async def test_changes_by_admins_inside_other_peoples_chats_are_recorded(api: Api) -> None:
    owner = await api.owner()
    admin, member = await api.colleague(owner, "admin"), await api.colleague(owner)
    guest = (await api.colleague(owner))["user"]["id"]
    body = {"chat_type": "private_channel", "name": "Layoffs", "members": [admin["user"]["id"], guest]}
    chat = api.created(await api.ask(member, "POST", "/api/chat", body))
    path, before = f"/api/chat/{chat['id']}", len(await log_of(api, owner))
    for who, name in ((member, "Plans"), (admin, "Secret plans")):
        assert (await api.ask(who, "PATCH", path, {"name": name})).status_code == 200
    for who in (admin, member):
        assert (await api.ask(who, "POST", f"{path}/members", {"members": [guest]})).status_code == 200
        assert (await api.ask(who, "DELETE", f"{path}/members/{guest}")).status_code == 204
    assert (await api.ask(admin, "POST", f"{path}/leave")).status_code == 204
    log = (await log_of(api, owner))[before:]
    assert [entry["action"] for entry in log] == ["chat.renamed", "chat.member_removed"]
    assert log[1]["after"] == {"user_id": guest}
    assert b"plans" not in orjson.dumps(log)
