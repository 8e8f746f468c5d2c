"""Checks after a walk has settled, whatever its steps were."""

from __future__ import annotations

from functools import partial
from typing import Any

from fechatter.events import EVENTS, EventType, Visibility
from fechatter.model import WorkspaceId
from fechatter.storage import events
from tests.hub.device import Client
from tests.hub.fresh import fresh_list, fresh_page
from tests.hub.oracle import Violation
from tests.hub.walk import Walk

Event = dict[str, Any]


async def check(walk: Walk) -> None:
    """Check everything. Raises Violation."""
    for name in ("alice", "xavier"):
        await _check_log(walk, walk.people[name].workspace_id)
    _check_senders(walk)
    await _check_messages(walk)
    for client in walk.clients.values():
        if not await walk.has_session(client.who):
            raise Violation("the stream of an ended session stays open")
        await _check_position(walk, client)
        _check_received(walk, client)
        await _check_state(walk, client, marks=False)
    for who, client in walk.clients.items():
        await walk.drop(who)
        await walk.connect(who)
        await walk.load(who)
        await _check_state(walk, client, marks=True)


async def _check_log(walk: Walk, workspace_id: WorkspaceId) -> None:
    await walk.capture_log(workspace_id)
    head = (await walk.database.read(lambda tx: events.heads(tx, workspace_id))).head
    if walk.oracle.numbers(workspace_id) != list(range(1, head + 1)):
        raise Violation("a number of the log is missing")


async def _check_position(walk: Walk, client: Client) -> None:
    """A heartbeat must carry the current head."""
    heads = await walk.database.read(lambda tx: events.heads(tx, client.who.workspace_id))
    position = client.node and client.listener and client.node.hub.position(client.listener)
    if position != heads.position:
        raise Violation(f"a heartbeat carries {position}, but the head is {heads.position}")


def _check_senders(walk: Walk) -> None:
    """Every sender must have been a member at the message's number."""
    for (_, seq), event in walk.oracle.log.items():
        if event["type"] == "message.created":
            message = event["data"]["message"]
            if not walk.oracle.was_member(message["sender_id"], message["chat_id"], seq):
                raise Violation(f"the sender of {event} was not a member at its number")


async def _check_messages(walk: Walk) -> None:
    chats = list(walk.chats.values())
    sql = "SELECT id, chat_id, number FROM messages WHERE chat_id IN ANY_OF($1) ORDER BY chat_id, number"
    rows = await walk.database.read(lambda tx: tx.fetch(sql, chats))
    acknowledged = set(walk.acknowledged.values())
    if not acknowledged <= {row["id"] for row in rows}:
        raise Violation("an acknowledged message is lost")
    if len(acknowledged) != len(walk.acknowledged):
        raise Violation("one message for two keys")
    for chat_id in chats:
        numbers = [row["number"] for row in rows if row["chat_id"] == chat_id]
        if numbers != list(range(1, len(numbers) + 1)):
            raise Violation("a number of a chat is missing")
    keyed = await walk.database.read(
        lambda tx: tx.fetch("SELECT message_id FROM message_keys WHERE chat_id IN ANY_OF($1)", chats)
    )
    if sorted(row["message_id"] for row in keyed) != sorted(row["id"] for row in rows):
        raise Violation("two messages for one key, or a message without its key")


def _check_received(walk: Walk, client: Client) -> None:
    """The client must have received every event that it may see since its base, and no other."""
    if client.base is None or client.listener is None:
        raise Violation("a client without a stream")
    for event in client.received.values():
        _check_entitled(walk, client, event)
        if client.eras[event["seq"]] != walk.oracle.eras[client.who.workspace_id, event["seq"]]:
            raise Violation(f"{event} under another era than the log's")
    for (workspace_id, seq), event in walk.oracle.log.items():
        must = (
            workspace_id == client.who.workspace_id
            and seq > client.base.seq
            and _must_see(walk, client.who.user_id, event)
        )
        if must and seq not in client.received:
            raise Violation(f"{client.who} did not receive {event}")


def _check_entitled(walk: Walk, client: Client, event: Event) -> None:
    chat_id, seq, user_id = event["chat_id"], event["seq"], client.who.user_id
    if event["workspace_id"] != client.who.workspace_id:
        raise Violation("an event of another workspace")
    if walk.oracle.log[event["workspace_id"], seq].get("person", user_id) != user_id:
        raise Violation(f"{client.who} received {event}, which belongs to another person")
    if chat_id is None:
        return
    if not walk.oracle.was_member(user_id, chat_id, seq):
        raise Violation(f"{client.who} received {event} without the right to see it")
    message = event["data"].get("message")
    if message is not None and message["deleted_at"] is None:
        if message != walk.oracle.log[event["workspace_id"], seq]["data"]["message"]:
            raise Violation(f"{client.who} received {event} with content of another number")
        _check_content(walk, user_id, message["content"])


def _check_content(walk: Walk, user_id: int, content: str) -> None:
    if content not in walk.oracle.written:
        raise Violation(f"{content!r} was never committed, or was lost in a restore")
    chat_id, seq = walk.oracle.written[content]
    if not any(end is None or end > seq for _, end in walk.oracle.intervals(user_id, chat_id)):
        raise Violation("a former member received a message written after the membership")


def _must_see(walk: Walk, user_id: int, event: Event) -> bool:
    """Decide by current membership. A former member must see only the event that ended the membership."""
    if EVENTS[EventType(event["type"])].visibility is Visibility.SERVER:
        return False
    if event.get("person", user_id) != user_id:
        return False
    if event["chat_id"] is None:
        return True
    known = walk.oracle.intervals(user_id, event["chat_id"])
    if not known:
        return False
    start, end = known[-1]
    return bool(event["seq"] >= start if end is None else event["seq"] == end)


async def _check_state(walk: Walk, client: Client, *, marks: bool) -> None:
    """State plus events must equal the state of a client that loads everything now."""
    _, workspace, people, chats = await walk.database.read(lambda tx: fresh_list(tx, client.who))
    state = client.state
    received = {
        chat_id: _normalised(loaded.chat, loaded.messages, marks=marks) for chat_id, loaded in state.chats.items()
    }
    wanted = {chat["id"]: _normalised(chat, None, marks=marks) for chat in chats}
    if received != wanted:
        raise Violation(f"{client.who}: chats differ: {_difference(received, wanted)}")
    if (state.workspace, state.people) != (workspace, {each["id"]: each for each in people}):
        raise Violation(f"{client.who}: people or workspace differ")
    for chat_id, loaded in state.chats.items():
        page = await walk.database.read(partial(fresh_page, who=client.who, chat_id=chat_id))
        if page is None or loaded.messages != {each["id"]: each for each in page[1]}:
            raise Violation(f"{client.who}: messages of {chat_id} differ")


def _normalised(chat: dict[str, Any], messages: dict[int, dict[str, Any]] | None, *, marks: bool) -> dict[str, Any]:
    """Normalise the fields that a lost signal may leave outdated until the next `resumed`."""
    received = chat if messages is None else chat | {"unread_count": _unread(chat, messages)}
    return received if marks else received | {"unread_count": 0, "last_read_number": 0, "read_revision": 0}


def _unread(chat: dict[str, Any], messages: dict[int, dict[str, Any]]) -> int:
    beyond = [each for each in messages.values() if each["number"] > chat["last_read_number"]]
    return sum(each["deleted_at"] is None for each in beyond)


def _difference(received: dict[int, Any], wanted: dict[int, Any]) -> list[Any]:
    if set(received) != set(wanted):
        return [sorted(received), sorted(wanted)]
    return [
        (chat_id, name, received[chat_id][name], wanted[chat_id][name])
        for chat_id in received
        for name in wanted[chat_id]
        if received[chat_id][name] != wanted[chat_id][name]
    ]
