"""Message, Chat and User are defined once, and every field reaches every place that shows them.

If a place does not show a field, a test fails and names the place and the field. Then show the field there, or list it
in `LEFT_OUT` with the others that the place leaves out on purpose.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from fechatter.accounts import people
from fechatter.api.contract.frames import EVENTS
from fechatter.api.contract.schemas import components
from fechatter.chats import views
from fechatter.events import EVENTS as DEFINED
from fechatter.export.writing import write_workspace
from fechatter.frames import Frame, block_json
from fechatter.messages import changes
from fechatter.model import Actor, Chat, ChatId, Extras, Message, MessageId, User, encode
from fechatter.storage import events
from fechatter.storage.engines.base import Database
from tests import history, world
from tests.world import WriterNode

CHECKOUT = Path(__file__).parents[1]
OPENAPI = json.loads((CHECKOUT / "fechatter/api/contract/openapi.json").read_text(encoding="utf-8"))
TYPESCRIPT = (CHECKOUT / "fechatter/web/client/src/api/schema.ts").read_text(encoding="utf-8")
# The contract has extras as soon as one field of them is defined.
NO_EXTRAS = set() if Extras.__struct_fields__ else {"extras"}

Shown = dict[str, Iterable[str]]
LEFT_OUT: dict[str, set[str]] = {
    "Message in a page": {"idempotency_key"},
    "Message in a live frame (native/src/message/encode.rs)": {"idempotency_key"},
    "Message in a replayed frame": {"idempotency_key"},
    "Message in an export": {"idempotency_key"},
    "Message in openapi.json": NO_EXTRAS,
    "Message in the client's types": NO_EXTRAS,
    "Chat in an export": {
        *("member_count", "members", "last_number", "last_message", "last_read_number", "read_revision"),
        *("unread_count", "starred", "muted"),
    },
    "User in an export": {"avatar_url", "disabled"},
    "User in a frame for everybody": {"email", "timezone", "language", "shows_presence", "sends_receipts"},
}


class MoodExtras(Extras, frozen=True):
    mood: str = ""


def missing(kind: type[msgspec.Struct], shown: Shown) -> list[str]:
    """Return `place: field` for each field of `kind` that a place neither shows nor leaves out on purpose."""
    return [
        f"{place}: {field}"
        for place, fields in shown.items()
        for field in kind.__struct_fields__
        if field not in {*fields, *LEFT_OUT.get(place, ())}
    ]


def in_contract(name: str) -> Shown:
    """The fields of a type in the contract and in the client's types."""
    return {
        f"{name} in openapi.json": OPENAPI["components"]["schemas"][name]["properties"],
        f"{name} in the client's types": typescript_fields(name),
    }


def typescript_fields(name: str) -> list[str]:
    found = re.search(rf"^        {name}: {{\n(.*?)^        }};$", TYPESCRIPT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no type {name} in the client's types"
    return re.findall(r'^            "?([\w.]+)"?\??:', found[1], re.MULTILINE)


def data_of(frames: list[Frame], event_type: str, own: bool = False) -> dict[str, Any]:
    """The data of the last frame of this type."""
    frame = [each for each in frames if each.type == event_type][-1]
    data: dict[str, Any] = orjson.loads(block_json((frame.own_block if own else None) or frame.block))["data"]
    return data


@pytest.fixture
async def node(database: Database) -> AsyncIterator[WriterNode]:
    made = WriterNode(database, extras_fields=MoodExtras)
    yield made
    await made.close()


async def log_of(database: Database, who: Actor) -> list[Frame]:
    head = (await database.read(lambda tx: events.heads(tx, who.workspace_id))).head
    return await database.read(lambda tx: events.load(tx, who.workspace_id, 0, head))


async def exported(database: Database, who: Actor, kind: str) -> dict[str, Any]:
    lines: list[bytes] = []
    await database.read(lambda tx: write_workspace(tx, who.workspace_id, lines.append, lambda *_: None))
    found: list[dict[str, Any]] = [orjson.loads(line) for line in b"".join(lines).splitlines()]
    return next(line for line in found if line["type"] == kind)


async def message_places(database: Database, node: WriterNode) -> Shown:
    """The fields of a message with a value in every field, in each place that shows messages."""
    alice, chat_id = await alice_in_a_chat(database)
    answer = await node.sent(alice, chat_id, "one", "key", extras={"mood": "calm"})
    await world.do(database, changes.edit, alice, chat_id, MessageId(answer["id"]), "two")
    page = orjson.loads(encode(await database.read(lambda tx: history.latest(tx, chat_id, 10))))
    replayed = await log_of(database, alice)
    return {
        "Message in the sender's answer (native/src/message/encode.rs)": answer,
        "Message in a live frame (native/src/message/encode.rs)": data_of(node.frames, "message.created")["message"],
        "Message in a replayed frame": data_of(replayed, "message.edited")["message"],
        "Message in a page": page["items"][0],
        "Message in an export": await exported(database, alice, "message"),
        **in_contract("Message"),
    }


async def chat_places(database: Database) -> Shown:
    """The fields of a chat, in each place that shows chats."""
    alice, _ = await alice_in_a_chat(database)
    listed = orjson.loads(await database.read(lambda tx: views.encoded_chats_of(tx, alice, limit=10)))
    joined = data_of(await log_of(database, alice), "member.joined", own=True)["chat"]
    return {
        "Chat in a list": listed[0],
        "Chat in the frame of one's own joining": joined,
        "Chat in an export": await exported(database, alice, "chat"),
        **in_contract("Chat"),
    }


async def user_places(database: Database) -> Shown:
    """The fields of a person, in each place that shows people."""
    alice, _ = await alice_in_a_chat(database)
    await world.do(database, people.update_own, alice, people.Profile(language="en", timezone="Europe/Zurich"))
    shown = await database.read(lambda tx: people.show(tx, alice, alice.user_id))
    frames = await log_of(database, alice)
    return {
        "User in an answer": orjson.loads(encode(shown)),
        "User in a frame for everybody": data_of(frames, "user.updated")["user"],
        "User in a frame for that person": data_of(frames, "user.updated", own=True)["user"],
        "User in an export": await exported(database, alice, "person"),
        **in_contract("User"),
    }


async def alice_in_a_chat(database: Database) -> tuple[Actor, ChatId]:
    (alice,) = await world.people(database, "alice")
    return alice, await world.chat(database, alice)


async def test_every_field_of_a_message_is_shown_in_every_place(database: Database, node: WriterNode) -> None:
    assert missing(Message, await message_places(database, node)) == []


async def test_every_field_of_a_chat_is_shown_in_every_place(database: Database) -> None:
    assert missing(Chat, await chat_places(database)) == []


async def test_every_field_of_a_person_is_shown_in_every_place(database: Database) -> None:
    assert missing(User, await user_places(database)) == []


async def test_a_new_field_is_reported_with_each_place_that_does_not_show_it(
    database: Database, node: WriterNode
) -> None:
    for kind, places in (
        (Message, await message_places(database, node)),
        (Chat, await chat_places(database)),
        (User, await user_places(database)),
    ):
        wider = msgspec.defstruct("Wider", [("mood", str, "")], bases=(kind,), kw_only=True, frozen=True)
        assert missing(wider, places) == [f"{place}: mood" for place in places]


@pytest.mark.parametrize("event_type", EVENTS)
def test_the_client_has_the_type_of_every_event_and_of_its_data(event_type: str) -> None:
    _, named = components([EVENTS[event_type]])
    for name, schema in named.items():
        if "properties" in schema:
            assert typescript_fields(name) == list(schema["properties"]), f"{name} in the client's types: make openapi"


async def test_every_event_is_sent_with_all_fields_of_its_data(database: Database, node: WriterNode) -> None:
    alice, chat_id = await alice_in_a_chat(database)
    await node.sent(alice, chat_id)
    await world.do(database, people.update_own, alice, people.Profile(language="en"))
    for frame in await log_of(database, alice):
        kind = DEFINED[frame.type].data
        assert kind is not None
        assert missing(kind, {f"the data of {frame.type}": orjson.loads(block_json(frame.block))["data"]}) == []
