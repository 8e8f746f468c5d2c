"""People over HTTP: lists, searches, profiles, roles and disabled accounts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fechatter.model import ChatType
from tests.accounts.conftest import Api, Session, refusal


async def patch(api: Api, who: Session, whom: Session, body: dict[str, Any]) -> tuple[int, str | None]:
    answer = await api.ask(who, "PATCH", f"/api/users/{whom['user']['id']}", body)
    return answer.status_code, answer.json().get("code")


async def test_people_are_listed_by_id_in_pages(api: Api) -> None:
    owner = await api.owner()
    others = [await api.colleague(owner) for _ in range(3)]
    first = await api.ask(owner, "GET", "/api/users?limit=3")
    second = await api.ask(owner, "GET", f"/api/users?limit=3&cursor={first.json()['next']}")
    ids = [item["id"] for item in first.json()["items"] + second.json()["items"]]
    assert ids == sorted(ids) == [session["user"]["id"] for session in (owner, *others)]
    assert second.json()["next"] is None
    assert first.headers["event-cursor"] == f"{api.database.era}.8"


async def test_people_are_found_by_any_part_of_a_name_or_handle(api: Api) -> None:
    owner = await api.owner(fullname="Ada Lovelace")
    await api.colleague(owner, fullname="Ömer 100% Özil")
    for fullname in ("山田花子", "李小龙", "Jean-Pierre Dupont-Martin"):
        await api.colleague(owner, fullname=fullname)

    async def found(query: str) -> list[str]:
        answer = await api.ask(owner, "GET", f"/api/users?q={query}")
        return [item["fullname"] for item in answer.json()["items"]]

    assert await found("ada") == await found("LOVE") == await found("ada.l") == ["Ada Lovelace"]
    assert await found("%C3%B6") == await found("o%CC%88z") == await found("100%25") == ["Ömer 100% Özil"]
    assert (
        await found("velace")
        == await found("love%20ADA")
        == await found("%20ada%20%20a%20d%20love")
        == ["Ada Lovelace"]
    )
    assert await found("花子") == ["山田花子"]
    assert await found("小龙") == ["李小龙"]
    assert (
        await found("Pierre") == await found("dupont%20jean") == await found("martin") == ["Jean-Pierre Dupont-Martin"]
    )
    assert await found("%25") == ["Ömer 100% Özil"]
    assert await found("_") == await found("ada%20pierre") == await found("a%20d%20a%20love%20lace") == []
    assert refusal(await api.ask(owner, "GET", "/api/users?q=%00")) == (422, "invalid")


async def test_people_are_found_by_their_ids(api: Api) -> None:
    owner, stranger = await api.owner(), await api.owner()
    other = await api.colleague(owner)
    ids = [owner["user"]["id"], other["user"]["id"], stranger["user"]["id"], 1]
    answer = await api.ask(owner, "GET", "/api/users?ids=" + ",".join(map(str, ids)))
    assert [item["id"] for item in answer.json()["items"]] == ids[:2]
    for bad in ("", "x", "1,,2", "0", "1" * 20, ",".join(["1"] * 101)):
        assert refusal(await api.ask(owner, "GET", f"/api/users?ids={bad}")) == (422, "invalid")


async def test_an_email_address_is_visible_to_its_person_admins_and_owners(api: Api) -> None:
    owner = await api.owner()
    admin, member, other = [await api.colleague(owner, role) for role in ("admin", "member", "member")]
    path = f"/api/users/{other['user']['id']}"
    seen = ["email" in (await api.ask(who, "GET", path)).json() for who in (owner, admin, member, other)]
    assert seen == [True, True, False, True]
    assert "timezone" not in (await api.ask(owner, "GET", path)).json()


async def test_a_guest_sees_only_people_in_shared_chats(api: Api) -> None:
    owner = await api.owner()
    guest, friend, other = await api.colleague(owner, "guest"), await api.colleague(owner), await api.colleague(owner)
    body = {"chat_type": ChatType.PRIVATE_CHANNEL, "name": "x", "members": [guest["user"]["id"], friend["user"]["id"]]}
    chat = api.created(await api.ask(owner, "POST", "/api/chat", body))

    async def seen() -> set[int]:
        listed = {item["id"] for item in (await api.ask(guest, "GET", "/api/users")).json()["items"]}
        everybody = (owner, guest, friend, other)
        asked = {who["user"]["id"] for who in everybody if (await shown(who)).status_code == 200}
        assert listed == asked
        return listed

    async def shown(who: Session) -> Any:
        return await api.ask(guest, "GET", f"/api/users/{who['user']['id']}")

    assert await seen() == {who["user"]["id"] for who in (owner, guest, friend)}
    await api.ask(friend, "POST", f"/api/chat/{chat['id']}/leave")
    assert await seen() == {who["user"]["id"] for who in (owner, guest)}
    await api.ask(owner, "DELETE", f"/api/chat/{chat['id']}")
    assert await seen() == {guest["user"]["id"]}
    assert refusal(await shown(other)) == (404, "not_found")


async def test_a_profile_change_is_stored_and_published(api: Api) -> None:
    owner = await api.owner()
    api.events()
    body = {"fullname": "Ada L.", "handle": "Ada_1", "timezone": "Europe/Zurich", "language": "pt-BR"}
    changed = (await api.ask(owner, "PATCH", "/api/users/me", body)).json()
    assert {name: changed[name] for name in body} == body
    [event] = api.events()
    assert (event["type"], event["data"]["user"]["handle"]) == ("user.updated", "Ada_1")
    assert not {"email", "timezone", "language"} & set(event["data"]["user"])
    assert (await api.ask(owner, "PATCH", "/api/users/me", body)).json() == changed
    assert (await api.ask(owner, "PATCH", "/api/users/me", {})).json() == changed
    assert api.events() == []
    assert (await api.ask(owner, "PATCH", "/api/users/me", {"timezone": None})).json()["timezone"] is None
    assert (await api.ask(owner, "PATCH", "/api/users/me", {"handle": "ADA_1"})).json()["handle"] == "ADA_1"


async def test_a_handle_is_unique_in_its_workspace(api: Api) -> None:
    owner = await api.owner()
    others = [await api.colleague(owner) for _ in range(3)]
    answers = await asyncio.gather(*(api.ask(who, "PATCH", "/api/users/me", {"handle": "boss"}) for who in others))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert refusal(await api.ask(owner, "PATCH", "/api/users/me", {"handle": "ＢＯＳＳ"})) == (409, "handle_taken")
    assert (await api.ask(await api.owner(), "PATCH", "/api/users/me", {"handle": "boss"})).status_code == 200


REFUSED: list[dict[str, Any]] = [
    *({"handle": text} for text in ("", "a b", "@a", ".a", "x" * 33, "a\u0000", None)),
    *({"fullname": text} for text in ("\u0000", None)),
    *({"timezone": text} for text in ("../etc", 1)),
    *({"language": "english!"}, {"role": "owner"}, {"email": "x@y.z"}, {"disabled": False}, {"id": 1}),
]


async def test_fields_that_a_person_cannot_change_are_refused(api: Api) -> None:
    owner = await api.owner()
    for body in REFUSED:
        assert refusal(await api.ask(owner, "PATCH", "/api/users/me", body)) == (422, "invalid")


async def test_role_changes_follow_the_table_of_rights(api: Api) -> None:
    owner = await api.owner()
    admin, member, guest = [await api.colleague(owner, role) for role in ("admin", "member", "guest")]
    other = await api.colleague(owner, "admin")
    assert await patch(api, member, guest, {"role": "member"}) == (403, "forbidden")
    assert await patch(api, member, member, {"role": "admin"}) == (403, "forbidden")
    assert await patch(api, guest, guest, {"role": "owner"}) == (403, "forbidden")
    assert await patch(api, admin, admin, {"role": "owner"}) == (403, "forbidden")
    assert await patch(api, admin, member, {"role": "owner"}) == (403, "forbidden")
    assert await patch(api, admin, other, {"role": "member"}) == (403, "forbidden")
    assert await patch(api, admin, owner, {"disabled": True}) == (403, "forbidden")
    assert await patch(api, admin, guest, {"role": "member"}) == (200, None)
    assert await patch(api, owner, other, {"role": "owner"}) == (200, None)
    api.events()
    assert await patch(api, owner, admin, {"role": "guest"}) == (200, None)
    [event] = api.events()
    assert (event["type"], event["data"]["user"]["role"]) == ("user.updated", "guest")


async def test_a_workspace_always_keeps_an_owner(api: Api) -> None:
    owner = await api.owner()
    assert await patch(api, owner, owner, {"role": "member"}) == (409, "last_owner")
    assert await patch(api, owner, owner, {"disabled": True}) == (409, "last_owner")
    second = await api.colleague(owner, "owner")
    assert await patch(api, owner, owner, {"disabled": True}) == (403, "forbidden")
    both = await asyncio.gather(
        patch(api, owner, owner, {"role": "member"}), patch(api, second, second, {"role": "member"})
    )
    assert sorted(both, key=str) == [(200, None), (409, "last_owner")]


async def test_a_disabled_person_is_signed_out_at_once_and_can_return_when_enabled(api: Api) -> None:
    owner = await api.owner()
    member = await api.colleague(owner)
    phone = (await api.sign_in(member)).json()
    api.events()
    assert await patch(api, owner, member, {"disabled": True}) == (200, None)
    events = api.events()
    assert [event["type"] for event in events] == ["user.disabled", "session.revoked", "session.revoked"]
    assert events[0]["data"]["user"]["disabled"] is True
    assert not await api.is_signed_in(member)
    assert refusal(await api.refresh(phone["refresh_token"])) == (401, "unauthorized")
    assert await patch(api, owner, member, {"disabled": True}) == (200, None)
    assert api.events() == []
    assert await patch(api, owner, member, {"disabled": False}) == (200, None)
    assert [event["type"] for event in api.events()] == ["user.updated"]
    assert not await api.is_signed_in(member)
    assert (await api.sign_in(member)).status_code == 200


async def test_people_of_another_workspace_are_not_found(api: Api) -> None:
    owner, stranger = await api.owner(), await api.owner()
    path = f"/api/users/{owner['user']['id']}"
    nobody = (await api.ask(stranger, "GET", "/api/users/9007199254740991")).json()
    for answer in (await api.ask(stranger, "GET", path), await api.ask(stranger, "PATCH", path, {"role": "guest"})):
        assert {**answer.json(), "request_id": ""} == {**nobody, "request_id": ""}
    assert len((await api.ask(stranger, "GET", "/api/users")).json()["items"]) == 1


@pytest.mark.empty_database
async def test_admins_can_rename_the_workspace_and_its_slug_stays(api: Api) -> None:
    owner = await api.owner("Acme")
    member = await api.colleague(owner)
    api.events()
    assert refusal(await api.ask(member, "PATCH", "/api/workspace", {"name": "Mine"})) == (403, "forbidden")
    assert refusal(await api.ask(owner, "PATCH", "/api/workspace", {"name": " "})) == (422, "invalid")
    renamed = (await api.ask(owner, "PATCH", "/api/workspace", {"name": "Acme & Co"})).json()
    assert (renamed["name"], renamed["slug"]) == ("Acme & Co", "acme")
    assert [event["data"] for event in api.events()] == [{"workspace": renamed}]
    assert (await api.ask(member, "GET", "/api/workspace")).json() == renamed
