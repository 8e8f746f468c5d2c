"""The channel that new people join. A new workspace has one; admins can choose another channel or none.

It is an ordinary public channel. Guests never join it automatically, and nobody does while it is archived.
"""

from __future__ import annotations

from typing import Final

import msgspec

from fechatter.chats import create, membership
from fechatter.errors import Invalid
from fechatter.events import EventType, WorkspaceData
from fechatter.model import Actor, ChatId, ChatType, Role, SessionId, UserId, WorkspaceId
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import may
from fechatter.storage import chats, events, workspaces
from fechatter.storage.chats import ChatRow
from fechatter.storage.engines.base import Transaction

NAME: Final = "general"


async def begin(tx: Transaction, workspace_id: WorkspaceId, owner_id: UserId) -> ChatId:
    """Create the default channel of a new workspace; the owner becomes its first member."""
    owner = Actor(owner_id, workspace_id, SessionId(0), Role.OWNER)
    created = await create.create(tx, owner, create.WantedChat(ChatType.PUBLIC_CHANNEL, NAME))
    await workspaces.set_default_chat(tx, workspace_id, created.chat.id)
    return created.chat.id


async def welcome(tx: Transaction, workspace_id: WorkspaceId, user_id: UserId, role: Role) -> None:
    """Add a new person to the default channel, unless it is archived or the person is a guest or already a member."""
    if not may(role, WorkspaceAction.SEE_CHANNELS):
        return
    workspace = await workspaces.find(tx, workspace_id)
    if workspace is None or workspace.default_chat_id is None:
        return
    chat = await chats.find(tx, workspace_id, workspace.default_chat_id, user_id)
    if chat is not None and chat.archived_at is None and chat.my_role is None:
        await membership.let_in(tx, workspace_id, chat, user_id)


async def check_choice(tx: Transaction, actor: Actor, chat_id: ChatId) -> None:
    """Check that a channel can become the default channel.

    Raises:
        Invalid: the workspace has no such public channel, or the channel is archived.
    """
    chat = await chats.find(tx, actor.workspace_id, chat_id, actor.user_id)
    if chat is None or not _may_be_default(chat):
        raise Invalid.field(
            "/default_chat_id", "unknown_channel", "There is no such public channel, or it is archived."
        )


def _may_be_default(chat: ChatRow) -> bool:
    return chat.chat_type is ChatType.PUBLIC_CHANNEL and chat.archived_at is None


async def forget(tx: Transaction, workspace_id: WorkspaceId, chat_id: ChatId) -> None:
    """Clear the workspace's default channel if it is the deleted chat."""
    workspace = await workspaces.find(tx, workspace_id)
    if workspace is not None and workspace.default_chat_id == chat_id:
        await workspaces.set_default_chat(tx, workspace_id, None)
        changed = msgspec.structs.replace(workspace, default_chat_id=None)
        draft = events.Draft(EventType.WORKSPACE_UPDATED, data=WorkspaceData(changed))
        await events.append(tx, workspace_id, [draft], rights=False)
