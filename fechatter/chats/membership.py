"""Memberships: adding, removing, joining, leaving, transfer of ownership.

Each change of a membership is one event, whose number becomes the membership's `joined_seq` or `left_seq`.
"""

from __future__ import annotations

from fechatter.audit.record import Act
from fechatter.chats import announcements
from fechatter.chats.access import check_access, record_of_chat
from fechatter.chats.people import check_addable, check_once_members
from fechatter.chats.views import chat_of
from fechatter.errors import NotFound
from fechatter.events import MemberRole
from fechatter.model import Actor, Chat, ChatId, ChatType, Member, UserId, WorkspaceId
from fechatter.rights.table import ChatAction
from fechatter.storage import chats, events, members, read_marks
from fechatter.storage.chats import ChatRow
from fechatter.storage.engines.base import Transaction


async def add(tx: Transaction, actor: Actor, chat_id: ChatId, user_ids: list[int]) -> list[Member]:
    """Add people; return those who were not members before.

    Raises:
        NotFound, Forbidden: see `rights`.
        Invalid: a person is unknown, or there are too many.
    """
    await check_access(tx, actor, chat_id, ChatAction.ADD_MEMBERS)
    wanted = await check_addable(tx, actor, user_ids)
    there = await members.present(tx, chat_id, wanted)
    new = [user_id for user_id in wanted if user_id not in there]
    if not new:
        return []
    await chats.count(tx, chat_id, len(new))
    await admit(tx, actor.workspace_id, chat_id, new)
    return announcements.member_of(await members.present(tx, chat_id, new), new)


async def join(tx: Transaction, actor: Actor, chat_id: ChatId) -> Chat:
    """Join a public channel. For a member, nothing changes. Raises NotFound, Forbidden."""
    chat = await chats.find(tx, actor.workspace_id, chat_id, actor.user_id)
    if chat is None or chat.my_role is None:
        chat = await check_access(tx, actor, chat_id, ChatAction.JOIN)
        await let_in(tx, actor.workspace_id, chat, actor.user_id)
    return await chat_of(tx, actor, chat_id)


async def let_in(tx: Transaction, workspace_id: WorkspaceId, chat: ChatRow, user_id: UserId) -> None:
    """Make one person a member of a public channel. The first member of an empty channel becomes its owner."""
    if chat.member_count == 0:
        await chats.set_owner(tx, chat.id, user_id)
    await chats.count(tx, chat.id, 1)
    await admit(tx, workspace_id, chat.id, [user_id])


async def admit(tx: Transaction, workspace_id: WorkspaceId, chat_id: ChatId, user_ids: list[UserId]) -> None:
    """Make people members in this order, with nothing unread. The chat's `member_count` must already
    include them."""
    first = await events.reserve(tx, workspace_id, len(user_ids), rights=True)
    await members.join(tx, chat_id, list(zip(user_ids, range(first, first + len(user_ids)), strict=True)))
    await read_marks.start(tx, chat_id, user_ids)
    now = await announcements.state_of(tx, workspace_id, chat_id)
    await events.insert(tx, workspace_id, first, await announcements.joined(tx, now, user_ids))


async def leave(tx: Transaction, actor: Actor, chat_id: ChatId) -> None:
    """Leave a chat. If the owner leaves, `members.successor` becomes the owner. Raises NotFound, Forbidden."""
    chat = await check_access(tx, actor, chat_id, ChatAction.LEAVE)
    await _depart(tx, actor.workspace_id, chat, [actor.user_id])


async def remove(tx: Transaction, actor: Actor, chat_id: ChatId, user_ids: list[int]) -> None:
    """Remove people; those who already left are skipped.

    Raises:
        NotFound, Forbidden: see `rights`; people who may leave may remove themselves.
        Invalid: a person was never in the chat.
    """
    action = ChatAction.LEAVE if set(user_ids) == {actor.user_id} else ChatAction.REMOVE_MEMBERS
    chat = await check_access(tx, actor, chat_id, action)
    known = await check_once_members(tx, chat_id, user_ids)
    there = await members.present(tx, chat_id, known)
    leaving = [user_id for user_id in known if user_id in there]
    await _record_removal(tx, actor, chat, leaving)
    await _depart(tx, actor.workspace_id, chat, leaving)


async def remove_one(tx: Transaction, actor: Actor, chat_id: ChatId, user_id: UserId) -> None:
    """Remove one person, who is named in the URL.

    Raises:
        NotFound: also if the person is not a member.
        Forbidden: see `rights`.
    """
    action = ChatAction.LEAVE if user_id == actor.user_id else ChatAction.REMOVE_MEMBERS
    chat = await check_access(tx, actor, chat_id, action)
    if user_id not in await members.present(tx, chat_id, [user_id]):
        raise NotFound()
    await _record_removal(tx, actor, chat, [user_id])
    await _depart(tx, actor.workspace_id, chat, [user_id])


async def _record_removal(tx: Transaction, actor: Actor, chat: ChatRow, user_ids: list[UserId]) -> None:
    for user_id in user_ids:
        if user_id != actor.user_id:
            await record_of_chat(tx, actor, chat, Act.CHAT_MEMBER_REMOVED, user_id=user_id)


async def _depart(tx: Transaction, workspace_id: WorkspaceId, chat: ChatRow, user_ids: list[UserId]) -> None:
    if not user_ids:
        return
    first = await events.reserve(tx, workspace_id, len(user_ids), rights=True)
    await members.leave(tx, chat.id, list(zip(user_ids, range(first, first + len(user_ids)), strict=True)))
    await chats.count(tx, chat.id, -len(user_ids))
    heir = await members.successor(tx, chat.id) if chat.owner_id in user_ids else None
    if heir is not None:
        await _hand_over(tx, chat, heir)
    now = await announcements.state_of(tx, workspace_id, chat.id)
    await events.insert(tx, workspace_id, first, announcements.left(now, user_ids))
    if heir is not None:
        await events.append(tx, workspace_id, [announcements.role_changed(now, MemberRole(heir, "owner"))], rights=True)
    if now.chat.member_count == 0 and chat.chat_type is not ChatType.PUBLIC_CHANNEL:
        # Nobody can find the chat, so it is deleted. An empty public channel remains; the next member owns it.
        await chats.delete(tx, chat.id)
        await events.append(tx, workspace_id, [announcements.deleted(chat.id)], rights=True)


async def transfer(tx: Transaction, actor: Actor, chat_id: ChatId, user_id: UserId) -> Member:
    """Make a member the owner; the former owner stays a member.

    Raises:
        NotFound: also if the person is not a member, or is disabled.
        Forbidden: see `rights`.
    """
    chat = await check_access(tx, actor, chat_id, ChatAction.TRANSFER)
    there = await members.present(tx, chat_id, [user_id])
    if not there or not await members.people(tx, actor.workspace_id, [user_id]):
        raise NotFound()
    if user_id != chat.owner_id:
        await record_of_chat(tx, actor, chat, Act.CHAT_TRANSFERRED, owner_id=user_id)
        await _hand_over(tx, chat, user_id)
        now = await announcements.state_of(tx, actor.workspace_id, chat_id)
        changes = [
            announcements.role_changed(now, MemberRole(chat.owner_id, "member")),
            announcements.role_changed(now, MemberRole(user_id, "owner")),
        ]
        await events.append(tx, actor.workspace_id, changes, rights=True)
    return (await members.present(tx, chat_id, [user_id]))[user_id].member


async def _hand_over(tx: Transaction, chat: ChatRow, heir: UserId) -> None:
    await members.set_role(tx, chat.id, chat.owner_id, "member")
    await members.set_role(tx, chat.id, heir, "owner")
    await chats.set_owner(tx, chat.id, heir)
