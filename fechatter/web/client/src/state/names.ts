/** The titles of chats, and lists ordered by them. Pure. */

import type { Chat } from "@/api/nouns"
import type { World } from "@/state/world"

/** Returns the other person of a direct chat. */
export function otherId(chat: Chat, me: number): number | undefined {
  return chat.chat_type === "single" ? chat.members.find(member => member.id !== me)?.id : undefined
}

/** Returns the name of a chat, or the names of its other members. */
export function title(chat: Chat, world: World): string {
  if (chat.name) return chat.name
  const others = chat.members.filter(member => member.id !== world.me.id)
  const names = others.map(member => world.people.get(member.id)?.fullname ?? member.fullname)
  const hidden = chat.member_count - 1 - others.length
  return names.join(", ") + (hidden > 0 ? ` +${hidden}` : "")
}

export function isChannel(chat: Chat): boolean {
  return chat.chat_type === "public_channel" || chat.chat_type === "private_channel"
}

/** Sorts by title in the reader's language. */
export function byTitle(chats: readonly Chat[], world: World, locale: string): Chat[] {
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" })
  return chats.toSorted((one, other) => collator.compare(title(one, world), title(other, world)))
}

/**
 * Sorts by the newest activity. Ids of chats and messages come from one counter of the server, so clocks do not matter.
 */
export function byActivity(chats: readonly Chat[]): Chat[] {
  const newest = (chat: Chat) => Math.max(chat.id, chat.last_message?.id ?? 0)
  return chats.toSorted((one, other) => newest(other) - newest(one))
}
