"""The earlier contents of an edited message: kept until it is deleted, shown to its sender and the workspace's admins in the chat."""

from __future__ import annotations

from fechatter.chats.access import check_access, check_on
from fechatter.errors import NotFound
from fechatter.model import Actor, ChatId, MessageId
from fechatter.rights.table import ChatAction
from fechatter.storage import messages
from fechatter.storage.engines.base import Transaction
from fechatter.storage.messages import Version


async def page(tx: Transaction, actor: Actor, chat_id: ChatId, message_id: MessageId, after: int, limit: int) -> list[Version]:
    """Earlier contents, oldest first, those beyond the revision `after`; the present one is the message's own.

    Raises:
        NotFound: the chat is hidden from the actor, or holds no such message.
        Forbidden: `not_the_sender`.
    """
    chat = await check_access(tx, actor, chat_id, ChatAction.READ)
    found = await messages.one(tx, chat_id, message_id)
    if found is None:
        raise NotFound
    own = found.sender_id == actor.user_id
    check_on(actor, chat, ChatAction.VERSIONS_OWN if own else ChatAction.VERSIONS_OTHERS)
    return await messages.versions(tx, message_id, after, limit)
