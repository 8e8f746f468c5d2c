"""Creating, listing and changing chats, joining and leaving them, marking messages as read or unread."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.bodies import Body
from fechatter.api.identity import read, write
from fechatter.api.operations import Answer, operation
from fechatter.api.paging import Items, Page, page_of
from fechatter.api.responses import json_response, no_content
from fechatter.chats import change, create, membership, names, preferences, reading, views
from fechatter.errors import Invalid
from fechatter.model import MAX_ID, Actor, Chat, ChatPreferences, ReadMark
from fechatter.storage.engines.base import Transaction


class NewReadMark(Body, frozen=True):
    """The newest message that you have read."""

    number: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=MAX_ID, description="The number of the newest message that you have read.", examples=[51]
        ),
    ]
    revision: (
        Annotated[
            int,
            msgspec.Meta(
                ge=0,
                le=MAX_ID,
                description="The newest revision of the read mark that you know; if omitted, the current one.",
                examples=[0],
            ),
        ]
        | None
    ) = None


class UnreadFrom(Body, frozen=True):
    """The message to mark as unread, with all later messages."""

    number: Annotated[
        int,
        msgspec.Meta(ge=1, le=MAX_ID, description="The number of the first message to mark as unread.", examples=[51]),
    ]


@operation("listChats", Answer(Items[Chat], position=True))
async def index(request: Request, page: Page) -> Response:
    """List your chats"""
    chats, position = await read(
        request, lambda tx, actor: views.chats_of(tx, actor, after=page.after, limit=page.limit + 1)
    )
    return json_response(page_of(chats, page), position=position)


@operation(
    "createChat",
    Answer(names.NamedChat, 201, "The new chat."),
    Answer(Chat, 200, "The existing chat: the chat of this idempotency key, or the single chat of these two people."),
    refuses=("forbidden", "name_taken", "idempotency_conflict", "not_found"),
    headers=("Idempotency-Key",),
)
async def create_chat(request: Request, asked: create.WantedChat) -> Response:
    """Create a chat

    A single chat has exactly two members, one chat for each pair, and no name. A group starts with three or more
    members, including you; its name is optional. A private channel has a name; its members are invited. A public
    channel has a unique name and starts with its creator; people join it. If a channel's name looks like another public
    channel's, the response contains `warnings`.
    """
    wanted = with_header_key(request, asked)

    async def work(tx: Transaction, actor: Actor) -> tuple[Chat, bool]:
        created = await create.create(tx, actor, wanted)
        return (await _with_warnings(tx, actor, created.chat) if created.new else created.chat), created.new

    chat, is_new = await write(request, work)
    return json_response(chat, 201 if is_new else 200)


async def _with_warnings(tx: Transaction, actor: Actor, chat: Chat) -> names.NamedChat:
    warnings = await names.warnings(tx, actor.workspace_id, chat)
    return names.NamedChat(**msgspec.structs.asdict(chat), warnings=warnings or msgspec.UNSET)


def with_header_key(request: Request, wanted: create.WantedChat) -> create.WantedChat:
    """Return the request with the key of its Idempotency-Key header. Raises Invalid: the body has another key, or the
    header is not UTF-8."""
    header = request.headers.get("idempotency-key")
    if header is None:
        return wanted
    try:
        key = header.encode("latin-1").decode()
    except UnicodeDecodeError as error:
        detail = "The Idempotency-Key header is not UTF-8."
        raise Invalid.field("/idempotency_key", "invalid_key", detail) from error
    if wanted.idempotency_key not in (None, key):
        raise Invalid.field("/idempotency_key", "key_mismatch", "The key differs from the Idempotency-Key header.")
    return msgspec.structs.replace(wanted, idempotency_key=key)


@operation("showChat", Answer(Chat, position=True))
async def show(request: Request) -> Response:
    """Show one of your chats"""
    chat_id = request.path_params["chat_id"]
    chat, position = await read(request, lambda tx, actor: views.chat_of(tx, actor, chat_id))
    return json_response(chat, position=position)


@operation("updateChat", Answer(names.NamedChat), refuses=("forbidden", "chat_archived", "name_taken"))
async def update(request: Request, wanted: change.ChatUpdate) -> Response:
    """Rename, describe, archive or unarchive a chat

    Fields that are left out stay unchanged. An archived chat can be renamed only by a request that also unarchives it.
    """
    chat_id = request.path_params["chat_id"]

    async def work(tx: Transaction, actor: Actor) -> Chat:
        chat = await change.change(tx, actor, chat_id, wanted)
        return chat if wanted.name is msgspec.UNSET else await _with_warnings(tx, actor, chat)

    return json_response(await write(request, work))


@operation("deleteChat", Answer(None, 204), refuses=("forbidden",))
async def delete(request: Request) -> Response:
    """Delete a chat for everybody

    Nobody can read any of it afterwards.
    """
    chat_id = request.path_params["chat_id"]
    await write(request, lambda tx, actor: change.delete(tx, actor, chat_id))
    return no_content()


@operation("joinChat", Answer(Chat), refuses=("chat_archived",))
async def join(request: Request) -> Response:
    """Join a public channel

    If you are a member already, the response is the channel.
    """
    chat_id = request.path_params["chat_id"]
    return json_response(await write(request, lambda tx, actor: membership.join(tx, actor, chat_id)))


@operation("leaveChat", Answer(None, 204), refuses=("forbidden",))
async def leave(request: Request) -> Response:
    """Leave a chat

    If the owner leaves, the member who joined first becomes the owner. Nobody can leave a single chat.
    """
    chat_id = request.path_params["chat_id"]
    await write(request, lambda tx, actor: membership.leave(tx, actor, chat_id))
    return no_content()


@operation("markRead", Answer(None, 204))
async def mark_read(request: Request, mark: NewReadMark) -> Response:
    """Move your read mark forward

    A number at or below the mark changes nothing. A revision older than the mark's changes nothing either. Send the
    revision that you know: then a client that has not yet seen a `POST …/unread` cannot undo it.
    """
    chat_id = request.path_params["chat_id"]
    await write(request, lambda tx, actor: reading.mark_read(tx, actor, chat_id, mark.number, mark.revision))
    return no_content()


@operation("updatePreferences", Answer(ChatPreferences))
async def update_preferences(request: Request, wanted: preferences.PreferencesUpdate) -> Response:
    """Star or mute a chat for yourself

    Fields that are left out stay unchanged. Nobody else sees these preferences. They are removed when the membership
    ends.
    """
    chat_id = request.path_params["chat_id"]
    return json_response(await write(request, lambda tx, actor: preferences.update(tx, actor, chat_id, wanted)))


@operation("markUnread", Answer(ReadMark))
async def mark_unread(request: Request, start: UnreadFrom) -> Response:
    """Mark a message and all later messages as unread

    Sets your read mark to the number before the message, and raises the mark's revision.
    """
    chat_id = request.path_params["chat_id"]
    return json_response(await write(request, lambda tx, actor: reading.mark_unread(tx, actor, chat_id, start.number)))


@operation("showUnread", Answer(reading.Unread, position=True))
async def show_unread(request: Request) -> Response:
    """Find your first unread message"""
    chat_id = request.path_params["chat_id"]
    unread, position = await read(request, lambda tx, actor: reading.unread_of(tx, actor, chat_id))
    return json_response(unread, position=position)


@operation("listReceipts", Answer(reading.ChatReceipts, position=True))
async def show_receipts(request: Request) -> Response:
    """List how far the other members have read

    People who have turned receipts off, and people who have read nothing, are left out. A chat with more than 100
    members has no receipts. `receipt.moved` reports each change.
    """
    chat_id = request.path_params["chat_id"]
    receipts, position = await read(request, lambda tx, actor: reading.receipts_of(tx, actor, chat_id))
    return json_response(receipts, position=position)
