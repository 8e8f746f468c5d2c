"""Signals that clients send: typing. The WebSocket calls the functions below the endpoints too."""

from __future__ import annotations

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from fechatter.api.identity import read, services
from fechatter.api.operations import Answer, operation
from fechatter.api.responses import no_content
from fechatter.chats.access import check_access
from fechatter.model import Actor, ChatId
from fechatter.rights.table import ChatAction
from fechatter.storage.engines.base import Transaction


@operation("startTyping", Answer(None, 204), refuses=("forbidden", "chat_archived"))
async def typing(request: Request) -> Response:
    """Show the chat's other members that you are typing

    Repeat it while the person types. A report within three seconds of the last one that was passed on is accepted and
    not passed on. The members receive the signal `typing.started`.
    """
    await report_typing(request, request.path_params["chat_id"])
    return no_content()


async def report_typing(request: HTTPConnection, chat_id: ChatId) -> None:
    """Show that the person types in the chat.

    Raises:
        Unauthorized: the session has ended.
        NotFound, Forbidden: the person may not send to the chat.
    """

    async def work(tx: Transaction, actor: Actor) -> Actor:
        await check_access(tx, actor, chat_id, ChatAction.SEND)
        return actor

    actor, _ = await read(request, work)
    services(request).typing.started(actor.workspace_id, chat_id, actor.user_id)
