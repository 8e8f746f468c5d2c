"""Messages over HTTP: send, send many, list, edit, delete."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fechatter.api import problems
from fechatter.api.bodies import Patience, check_json, check_length, check_media_type, check_size, read_bytes
from fechatter.api.identity import bearer_token, claims, read, services, write
from fechatter.api.responses import json_response, no_content
from fechatter.chats.access import check_access
from fechatter.errors import Invalid, NotFound, Problem
from fechatter.messages import changes, history
from fechatter.messages.send import parse_content
from fechatter.model import Actor, ChatId, Message, MessageId, encode
from fechatter.rights.table import ChatAction
from fechatter.services import Services
from fechatter.storage import messages
from fechatter.storage.engines.base import Transaction

MESSAGE_BYTES = 64 * 1024
BATCH_BYTES = 6 * 1024 * 1024
DEFAULT_MESSAGES = 50
MOST_MESSAGES = 100
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class SendMessage:
    """POST /api/chat/{chat_id}/messages: the hot path, so an ASGI app of its own, without Starlette's wrapping."""

    def __init__(self) -> None:
        self._patience = Patience()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found: Services = scope["app"].services
        authorization, key = _read_headers(scope["headers"])
        who = found.tokens.verify(bearer_token(authorization))
        scope["state"]["claims"] = who
        scope["state"]["quota"] = found.quotas.messages.take(who.user_id)
        body = await _read_body(receive, self._patience)
        chat_id, request_id = scope["path_params"]["chat_id"], scope["state"]["request_id"]
        status, answer = await found.sender.send(body, key, chat_id, who.user_id, who.session_id, request_id)
        await send({"type": "http.response.start", "status": status, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": answer})


def _read_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, str | None]:
    """Authorization and Idempotency-Key, in one pass. Raises UnsupportedMediaType, TooLarge, Invalid."""
    authorization, key = b"", None
    for name, value in headers:
        if name == b"authorization":
            authorization = value
        elif name == b"content-type":
            check_media_type(value)
        elif name == b"content-length":
            check_length(value, MESSAGE_BYTES)
        elif name == b"idempotency-key":
            key = _key_text(value)
    return authorization, key


def _key_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Invalid.field("/idempotency_key", "invalid_key", "The Idempotency-Key header is not UTF-8.") from None


async def _read_body(receive: Receive, patience: Patience) -> bytes:
    """The body, which nearly always comes whole. Raises TooLarge, BodyTimeout, ClientDisconnect."""
    message = await patience.wait(receive)
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await patience.wait(receive)
        body += message.get("body", b"")
        check_size(body, MESSAGE_BYTES)
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    check_size(body, MESSAGE_BYTES)
    return body


async def send_many(request: Request) -> Response:
    """POST /api/chat/{chat_id}/messages/batch"""
    check_json(request)
    who, quotas = claims(request), services(request).quotas
    chat_id, request_id = request.path_params["chat_id"], request.scope["state"]["request_id"]
    quotas.messages.take(who.user_id)
    with quotas.batches_at_once.one(who.user_id), quotas.batches:
        body = await read_bytes(request, BATCH_BYTES)
        answers = await services(request).sender.send_many(body, chat_id, who.user_id, who.session_id, request_id)
    request.scope["state"]["quota"] += quotas.messages.charge(who.user_id, len(answers) - 1)
    results = [_result(answer, request_id) for answer in answers]
    return Response(b'{"results":[' + b",".join(results) + b"]}", media_type="application/json", headers={"cache-control": "no-store"})


def _result(answer: tuple[int, bytes] | Problem, request_id: str) -> bytes:
    if isinstance(answer, Problem):
        return b'{"status":%d,"problem":%b}' % (answer.status, encode(problems.body(answer, request_id)))
    status, message = answer
    return b'{"status":%d,"message":%b}' % (status, message)


async def listing(request: Request) -> Response:
    """GET /api/chat/{chat_id}/messages"""
    chat_id, limit, place = ChatId(request.path_params["chat_id"]), _limit(request), _place(request)

    async def work(tx: Transaction, actor: Actor) -> history.Page:
        await check_access(tx, actor, chat_id, ChatAction.READ)
        match place:
            case ("before", number):
                return await history.before(tx, chat_id, number, limit)
            case ("after", number):
                return await history.after(tx, chat_id, number, limit)
            case ("around", number):
                return await history.around(tx, chat_id, number, limit)
        return await history.latest(tx, chat_id, limit)

    page, position = await read(request, work)
    return json_response(page, position=position)


def _place(request: Request) -> tuple[str, int] | None:
    """Where in the chat: at most one of before, after and around. Raises Invalid."""
    given = [name for name in ("before", "after", "around") if name in request.query_params]
    if not given:
        return None
    if len(given) > 1:
        raise Invalid.field(f"?{given[1]}", "conflicting_parameters", "Only one of before, after and around.")
    return given[0], _number(request, given[0], 0, 2**53 - 1)


def _limit(request: Request) -> int:
    unknown = set(request.query_params) - {"before", "after", "around", "limit"}
    if unknown:
        raise Invalid.field(f"?{min(unknown)}", "unknown_parameter", "There is no such parameter here.")
    return _number(request, "limit", 1, MOST_MESSAGES) if "limit" in request.query_params else DEFAULT_MESSAGES


def _number(request: Request, name: str, least: int, most: int) -> int:
    text = request.query_params[name]
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and least <= int(text) <= most):
        raise Invalid.field(f"?{name}", "out_of_range", f"A whole number from {least} to {most}.")
    return int(text)


async def one(request: Request) -> Response:
    """GET /api/chat/{chat_id}/messages/{message_id}"""
    chat_id, message_id = _ids(request)

    async def work(tx: Transaction, actor: Actor) -> Message:
        await check_access(tx, actor, chat_id, ChatAction.READ)
        found = await messages.one(tx, chat_id, message_id)
        if found is None:
            raise NotFound
        return found

    message, position = await read(request, work)
    return json_response(message, position=position)


async def edit(request: Request) -> Response:
    """PATCH /api/chat/{chat_id}/messages/{message_id}"""
    chat_id, message_id = _ids(request)
    check_json(request)
    claims(request)
    content = parse_content(await read_bytes(request, MESSAGE_BYTES))
    return json_response(await write(request, lambda tx, actor: changes.edit(tx, actor, chat_id, message_id, content)))


async def delete(request: Request) -> Response:
    """DELETE /api/chat/{chat_id}/messages/{message_id}"""
    chat_id, message_id = _ids(request)
    await write(request, lambda tx, actor: changes.delete(tx, actor, chat_id, message_id))
    return no_content()


def _ids(request: Request) -> tuple[ChatId, MessageId]:
    return ChatId(request.path_params["chat_id"]), MessageId(request.path_params["message_id"])
