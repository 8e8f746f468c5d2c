"""Names of chats: invalid names, equal names and confusable names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import ServerProcess


async def channel(who: Client, name: str, kind: str = "public_channel") -> Any:
    return await who.ask("POST", "/api/chat", {"chat_type": kind, "name": name})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("\u3164", "blank"),
        ("\u2800\u200b", "blank"),
        ("\u0301", "blank"),
        ("a" + "\u0301" * 100, "too_many_marks"),
        ("\u202ea", "control_character"),
    ],
)
async def test_an_invisible_name_is_refused_for_every_kind_of_chat(server: ServerProcess, name: str, code: str) -> None:
    ada = await owner(server)
    others = [(await colleague(ada)).id for _ in range(2)]
    for kind, members in (("public_channel", []), ("private_channel", []), ("group", others)):
        answer = await ada.ask("POST", "/api/chat", {"chat_type": kind, "name": name, "members": members})
        assert [error["code"] for error in answer.json["errors"]] == [code], kind


async def test_names_that_differ_only_in_invisible_characters_are_equal(server: ServerProcess) -> None:
    ada = await owner(server)
    made = await channel(ada, "news")
    for name in ("ne\u200bws", "\u3164news", "NEWS\u00ad", " news\u2800"):
        assert (await channel(ada, name)).code == "name_taken"
    assert (await ada.ask("PATCH", f"/api/chat/{made.json['id']}", {"name": "ne\u2060ws"})).status == 200


async def test_a_name_that_resembles_another_one_is_accepted_with_a_warning(server: ServerProcess) -> None:
    ada = await owner(server)
    paypal = (await channel(ada, "paypal")).json
    assert "warnings" not in paypal
    cyrillic = await channel(ada, "р\u0430ур\u0430l")
    assert cyrillic.status == 201
    [warning] = cyrillic.json["warnings"]
    assert (warning["code"], warning["chat_id"], warning["name"]) == ("confusable_name", paypal["id"], "paypal")
    private = await channel(ada, "pаypal", "private_channel")
    assert {each["name"] for each in private.json["warnings"]} == {"paypal", "р\u0430ур\u0430l"}
    renamed = await ada.ask("PATCH", f"/api/chat/{cyrillic.json['id']}", {"name": "something else"})
    assert "warnings" not in renamed.json
    again = await ada.ask("PATCH", f"/api/chat/{cyrillic.json['id']}", {"name": "PAУPAL"})
    assert [each["name"] for each in again.json["warnings"]] == ["paypal"]
    assert "warnings" not in (await ada.ask("PATCH", f"/api/chat/{cyrillic.json['id']}", {"description": "x"})).json
    assert "warnings" not in (await ada.ask("GET", f"/api/chat/{cyrillic.json['id']}")).json


async def test_a_warning_reveals_no_private_channel(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    await channel(ada, "secret", "private_channel")
    assert "warnings" not in (await channel(bob, "ѕесrеt")).json
