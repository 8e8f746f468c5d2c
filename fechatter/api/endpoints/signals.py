"""Signals that clients send and subscribe to: typing and presence."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.bodies import Body, Id
from fechatter.api.identity import read, services
from fechatter.api.operations import Answer, operation
from fechatter.api.responses import json_response, no_content
from fechatter.chats.access import check_access
from fechatter.model import Actor, ChatId, UserId
from fechatter.rights.table import ChatAction
from fechatter.rights.workspace import sees_only_met
from fechatter.signals.presence import OwnState, PersonPresence
from fechatter.signals.subscriptions import MAX_PEOPLE_OF_SESSION, Subscriber
from fechatter.storage import members
from fechatter.storage.engines.base import Transaction


class SessionPresence(Body, frozen=True):
    """The state of this session."""

    state: Annotated[OwnState, msgspec.Meta(description="`dnd`: do not disturb.", examples=["away"])]


class PresenceSubscription(Body, frozen=True):
    """The people whose presence a client shows."""

    user_ids: Annotated[list[Id], msgspec.Meta(max_length=MAX_PEOPLE_OF_SESSION, examples=[[7, 8]])]


class Presences(msgspec.Struct, frozen=True):
    """The presence of the people whom you see."""

    presences: list[PersonPresence]


@operation("startTyping", Answer(None, 204), refuses=("forbidden", "chat_archived"))
async def typing(request: Request) -> Response:
    """Show the chat's other members that you are typing

    Repeat it while the person types. A report within three seconds of the last one that was passed on is accepted and
    not passed on. The members receive the signal `typing.started`.
    """
    chat_id = ChatId(request.path_params["chat_id"])

    async def work(tx: Transaction, actor: Actor) -> Actor:
        await check_access(tx, actor, chat_id, ChatAction.SEND)
        return actor

    actor, _ = await read(request, work)
    services(request).typing.started(actor.workspace_id, chat_id, actor.user_id)
    return no_content()


@operation("setPresence", Answer(SessionPresence))
async def presence(request: Request, wanted: SessionPresence) -> Response:
    """Report the state of this session

    A session with a stream is `online` until it reports something else. Report `away` after ten minutes without input.
    Others see the most present state of all your sessions; `dnd` wins. Nobody sees it if you set `shows_presence` to
    false. Report again after each `hello`.
    """
    actor, _ = await read(request, _actor)
    services(request).presence.set_state(_subscriber(actor), wanted.state)
    return json_response(wanted)


@operation("subscribePresence", Answer(Presences), refuses=("presence_full",))
async def subscribe(request: Request, wanted: PresenceSubscription) -> Response:
    """Subscribe to the presence of people

    Replaces the earlier subscription of this session. The response has the current states, without people whom you
    cannot see. Later changes come as `presence.changed` on the session's streams, at most once a second. Subscribe
    again after each `hello`.
    """

    async def work(tx: Transaction, actor: Actor) -> tuple[Actor, list[UserId]]:
        return actor, await _visible(tx, actor, [UserId(each) for each in dict.fromkeys(wanted.user_ids)])

    (actor, people), _ = await read(request, work)
    return json_response(Presences(services(request).presence.subscribe(_subscriber(actor), people)))


async def _visible(tx: Transaction, actor: Actor, user_ids: list[UserId]) -> list[UserId]:
    """Return the people among `user_ids` whom the actor sees, in the same order."""
    seen = await members.people(tx, actor.workspace_id, user_ids)
    if sees_only_met(actor.role):
        seen &= await members.met(tx, actor.user_id, user_ids) | {actor.user_id}
    return [user_id for user_id in user_ids if user_id in seen]


async def _actor(tx: Transaction, actor: Actor) -> Actor:
    return actor


def _subscriber(actor: Actor) -> Subscriber:
    return Subscriber(actor.workspace_id, actor.user_id, actor.session_id)
