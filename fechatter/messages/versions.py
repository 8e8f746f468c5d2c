"""The earlier contents of an edited message. Its sender, and admins who are members of the chat, see them until the
message is deleted."""

from __future__ import annotations

from fechatter.chats.access import check_access, check_on
from fechatter.errors import NotFound
from fechatter.model import Actor, ChatId, MessageId
from fechatter.rights.table import ChatAction
from fechatter.storage import messages
from fechatter.storage.engines.base import Transaction
from fechatter.storage.messages import Version


async def page(
    tx: Transaction, actor: Actor, chat_id: ChatId, message_id: MessageId, after: int, limit: int
) -> list[Version]:
    """Return the earlier contents after the revision `after`, oldest first. The current content is not included.

    Raises:
        NotFound: the actor cannot see the chat, or the chat has no such message.
        Forbidden: `not_the_sender`.
    """
    chat = await check_access(tx, actor, chat_id, ChatAction.READ)
    found = await messages.one(tx, chat_id, message_id)
    if found is None:
        raise NotFound
    own = found.sender_id == actor.user_id
    check_on(actor, chat, ChatAction.VERSIONS_OWN if own else ChatAction.VERSIONS_OTHERS)
    return await messages.versions(tx, message_id, after, limit)
