"""Sending, reading, editing and deleting messages."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Annotated, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fechatter.api import labels, sharing
from fechatter.api.bodies import Body, check_json, check_media_type, read_bytes
from fechatter.api.identity import TWICE, bearer_token, read, read_row, write
from fechatter.api.operations import Answer, Operation, operation
from fechatter.api.queries import Query
from fechatter.api.receiving import BodyReader, check_length, check_size
from fechatter.api.responses import bytes_response, json_response, no_content
from fechatter.auth.quotas import Quotas
from fechatter.chats.access import check_access
from fechatter.errors import Invalid, NotFound, Unauthorized
from fechatter.messages import changes, history
from fechatter.messages.send import parse_content
from fechatter.model import MAX_ID, Actor, ChatId, Extras, Message, MessageId, encode
from fechatter.native import MAX_CONTENT_CHARACTERS, MAX_KEY_CHARACTERS
from fechatter.rights.table import ChatAction
from fechatter.services import Services
from fechatter.storage import messages
from fechatter.storage.engines.base import Transaction

MESSAGE_BYTES = 64 * 1024
DEFAULT_MESSAGES = 50
MAX_MESSAGES = 100
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


Content = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=MAX_CONTENT_CHARACTERS,
        description=f"1 to {MAX_CONTENT_CHARACTERS:,} Unicode scalar values, stored unchanged. White space alone is "
        "refused, and so are control characters except tab, newline and carriage return.",
        examples=["Good morning"],
    ),
]
Key = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=MAX_KEY_CHARACTERS,
        description="Your own key for this message, without control characters. If you send the key again, the "
        "response is the message that was stored first; with different content, the request is refused. A key belongs "
        "to one sender in one chat. The server stores it for at least seven days. A UUIDv7 is the cheapest key. A "
        "bot that answers a message can derive the key of its answer from that message's `id`.",
        examples=["0199a1c4-7d2e-7cc3-98c4-dc0c0c07398f"],
    ),
]


class NewMessage(Body, frozen=True):
    """A message to send."""

    content: Content
    idempotency_key: Key | None = None
    extras: Extras | msgspec.UnsetType = msgspec.UNSET


class EditedMessage(Body, frozen=True):
    """A message's new content."""

    content: Content


class HistoryQuery(Query, frozen=True):
    """Which messages of a chat, by their numbers. Raises Invalid: more than one of `before`, `after` and `around`."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_MESSAGES, description="Maximum number of messages.")] = (
        DEFAULT_MESSAGES
    )
    before: (
        Annotated[
            int, msgspec.Meta(ge=0, le=MAX_ID, description="The messages directly before this number.", examples=[51])
        ]
        | None
    ) = None
    after: (
        Annotated[
            int, msgspec.Meta(ge=0, le=MAX_ID, description="The messages directly after this number.", examples=[0])
        ]
        | None
    ) = None
    around: (
        Annotated[
            int, msgspec.Meta(ge=0, le=MAX_ID, description="This number and the messages on both sides.", examples=[25])
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        given = [name for name in ("before", "after", "around") if getattr(self, name) is not None]
        if len(given) > 1:
            raise Invalid.field(f"?{given[1]}", "conflicting_parameters", "Use only one of before, after and around.")


class SendMessage:
    """Send a message

    The response is sent after the message was stored. It contains the message's number in the chat. If you get no
    response, send the message again with the same `idempotency_key`: it is stored only once. The key may be in the
    header `Idempotency-Key` instead. Two different keys are refused.
    """

    # The hot path: an ASGI app of its own, without a Request and a Response.
    operation = Operation(
        id="sendMessage",
        tag="messages",
        description=inspect.cleandoc(__doc__),
        answers=(
            Answer(Message, 201, "The stored message."),
            Answer(Message, 200, "A repeat: the message that was stored first, as it is now."),
        ),
        refuses=("malformed_utf8", "chat_archived", "idempotency_conflict", "intake_full", "not_stored"),
        body=NewMessage,
        headers=("Idempotency-Key",),
        body_bytes=MESSAGE_BYTES,
    )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found: Services = scope["app"].services
        authorization, key = _read_headers(scope["headers"])
        # A message from a WebSocket is signed in already.
        who = scope["state"].get("claims") or found.tokens.verify(bearer_token(authorization))
        scope["state"]["claims"] = who
        scope["state"]["quota"] = found.quotas.messages.take(who.user_id)
        reader: BodyReader = scope["app"].bodies
        body, more = await reader.begin(receive)
        if more:
            body = await _read_slow_body(scope, receive, body)
        check_size(body, MESSAGE_BYTES)
        chat_id, request_id = scope["path_params"]["chat_id"], scope["state"]["request_id"]
        status, answer = await found.sender.send(body, key, chat_id, who.user_id, who.session_id, request_id)
        await send({"type": "http.response.start", "status": status, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": answer})


async def _read_slow_body(scope: Scope, receive: Receive, begun: bytes) -> bytes:
    """Read the rest of a slow body, and charge its memory to the sender. Raises the errors of `BodyReader.finish`."""
    quotas: Quotas = scope["app"].services.quotas
    share = scope["state"]["share"] = sharing.Share(quotas, scope["state"]["claims"].user_id, quotas.messages, None)
    with share.body() as held:
        return await cast(BodyReader, scope["app"].bodies).finish(receive, MESSAGE_BYTES, share, held, begun)


def _read_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, str | None]:
    """Return Authorization and Idempotency-Key, in one pass.

    Raises Unauthorized, UnsupportedMediaType, TooLarge, Invalid.
    """
    authorization, key = b"", None
    for name, value in headers:
        if name == b"authorization":
            if authorization:
                raise Unauthorized(TWICE)
            authorization = value
        elif name == b"content-type":
            check_media_type(value)
        elif name == b"content-length":
            check_length(value, MESSAGE_BYTES)
        elif name == b"idempotency-key":
            if key is not None and key != _key_text(value):
                raise Invalid.field(
                    "/idempotency_key", "invalid_key", "The request has two different Idempotency-Key headers."
                )
            key = _key_text(value)
    return authorization, key


def _key_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Invalid.field("/idempotency_key", "invalid_key", "The Idempotency-Key header is not UTF-8.") from None


@operation("listMessages", Answer(history.MessagePage, position=True))
async def index(request: Request, wanted: HistoryQuery) -> Response:
    """Read the history of a chat

    Newest first. Without a query, the newest messages.
    """
    chat_id, place = ChatId(request.path_params["chat_id"]), _place(wanted)
    row, actor, position = await read_row(request, lambda database, who: history.read(database, who, chat_id, place))
    page, rows = history.show(actor, row, chat_id, place)
    sharing.count(request, rows)
    return bytes_response(page, position, labels.for_members(request, chat_id, ChatAction.READ))


def _place(wanted: HistoryQuery) -> history.PagePlace:
    match wanted:
        case HistoryQuery(before=int(number)):
            return history.before(number, wanted.limit)
        case HistoryQuery(after=int(number)):
            return history.after(number, wanted.limit)
        case HistoryQuery(around=int(number)):
            return history.around(number, wanted.limit)
    return history.latest(wanted.limit)


@operation("showMessage", Answer(Message, position=True))
async def one(request: Request) -> Response:
    """Show a message"""
    chat_id, message_id = _ids(request)

    async def work(tx: Transaction, actor: Actor) -> Message:
        await check_access(tx, actor, chat_id, ChatAction.READ)
        found = await messages.one(tx, chat_id, message_id)
        if found is None:
            raise NotFound
        return found

    message, position = await read(request, work)
    return bytes_response(encode(message), position, labels.for_members(request, chat_id, ChatAction.READ))


@operation(
    "editMessage",
    Answer(Message),
    refuses=("malformed_utf8", "chat_archived", "not_the_sender", "message_deleted", "too_many_edits"),
    body=EditedMessage,
    body_bytes=MESSAGE_BYTES,
)
async def edit(request: Request) -> Response:
    """Edit your own message

    The server keeps the earlier contents; `GET …/versions` lists them.
    """
    chat_id, message_id = _ids(request)
    check_json(request)
    content = parse_content(await read_bytes(request, MESSAGE_BYTES))
    async with sharing.turn(request):
        return json_response(
            await write(request, lambda tx, actor: changes.edit(tx, actor, chat_id, message_id, content))
        )


@operation("deleteMessage", Answer(None, 204), refuses=("chat_archived", "not_the_sender"))
async def delete(request: Request) -> Response:
    """Delete a message

    For its sender, the chat's owner, and admins who are members. The message keeps its number, with empty content.
    """
    chat_id, message_id = _ids(request)
    await write(request, lambda tx, actor: changes.delete(tx, actor, chat_id, message_id))
    return no_content()


def _ids(request: Request) -> tuple[ChatId, MessageId]:
    return ChatId(request.path_params["chat_id"]), MessageId(request.path_params["message_id"])
