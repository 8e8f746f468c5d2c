/** What asks for attention: bold, badges, the title and notifications all follow these rules. Pure. */

import type { Chat } from "@/api/nouns"
import { isChannel } from "@/chats/names"

/** There is something new in it. */
export function isUnread(chat: Chat): boolean {
  return chat.archived_at === null && chat.unread_count > 0
}

/** Unread and not muted: it is bold and comes first. */
export function isLoud(chat: Chat): boolean {
  return isUnread(chat) && !chat.muted
}

/** How many of its unread messages are for this person: all of a direct chat, none of a channel. */
export function countForMe(chat: Chat): number {
  return isLoud(chat) && !isChannel(chat) ? chat.unread_count : 0
}

/** The number in the title: the sum of the badges. */
export function totalForMe(chats: Iterable<Chat>): number {
  let total = 0
  for (const chat of chats) total += countForMe(chat)
  return total
}
