/** Which chats are bold and count in badges. Pure. */

import type { Chat } from "@/api/nouns"
import { isChannel } from "@/state/names"

/** Whether the chat has unread messages. */
export function isUnread(chat: Chat): boolean {
  return chat.archived_at === null && chat.unread_count > 0
}

/** Unread and not muted: it is bold and comes first. */
export function isBold(chat: Chat): boolean {
  return isUnread(chat) && !chat.muted
}

/** The chat's unread messages that count in badges: all in a direct chat, none in a channel. */
export function badgeCount(chat: Chat): number {
  return isBold(chat) && !isChannel(chat) ? chat.unread_count : 0
}

/** The number in the title: the sum of the badges. */
export function badgeTotal(chats: Iterable<Chat>): number {
  let total = 0
  for (const chat of chats) total += badgeCount(chat)
  return total
}
