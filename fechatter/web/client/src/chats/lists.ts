/** The chats as the sidebar shows them: in sections, filtered, one after the other. Pure. */

import type { Chat } from "@/api/nouns"
import { byRecency, byTitle, isChannel, title } from "@/chats/names"
import { score } from "@/i18n/matching"
import type { World } from "@/live/world"

export interface Sections {
  channels: Chat[]
  direct: Chat[]
  archived: Chat[]
}

/** Channels by name, direct chats and groups by their newest word, whatever is archived at the end. */
export function sections(world: World, locale: string, filter = ""): Sections {
  const all = [...world.chats.values()].filter(chat => isListed(chat, world) && fits(chat, world, filter))
  const active = all.filter(chat => chat.archived_at === null)
  return {
    channels: byTitle(active.filter(isChannel), world, locale),
    direct: byRecency(active.filter(chat => !isChannel(chat))),
    archived: byTitle(
      all.filter(chat => chat.archived_at !== null),
      world,
      locale,
    ),
  }
}

/** The chat before or after one, round in a ring; of the unread ones, where only they are asked for. */
export function neighbour(
  chats: readonly Chat[],
  from: number | undefined,
  by: 1 | -1,
  onlyUnread = false,
): Chat | undefined {
  const at = chats.findIndex(chat => chat.id === from)
  const start = at < 0 && by < 0 ? 0 : at
  for (let step = 1; step <= chats.length; step += 1) {
    const chat = chats[(start + by * step + chats.length * 2) % chats.length]
    if (chat !== undefined && chat.id !== from && (!onlyUnread || chat.unread_count > 0)) return chat
  }
  return undefined
}

/** The chat of two with somebody, if there is one. */
export function singleWith(world: World, userId: number): Chat | undefined {
  return [...world.chats.values()].find(
    chat => chat.chat_type === "single" && chat.members.some(member => member.id === userId),
  )
}

/** The group of exactly these people and me, if there is one that everybody can still write in. */
export function groupOf(world: World, userIds: readonly number[]): Chat | undefined {
  const wanted = new Set([world.me.id, ...userIds])
  return byRecency([...world.chats.values()]).find(
    chat =>
      chat.chat_type === "group" &&
      chat.archived_at === null &&
      chat.member_count === wanted.size &&
      // Chats name their first members only: larger groups cannot be compared.
      chat.members.length === wanted.size &&
      chat.members.every(member => wanted.has(member.id)),
  )
}

/** A chat of two that the other person opened is listed from its first message on. */
export function isListed(chat: Chat, world: World): boolean {
  return chat.chat_type !== "single" || chat.last_number > 0 || chat.owner_id === world.me.id
}

function fits(chat: Chat, world: World, filter: string): boolean {
  return filter.trim() === "" || score(filter, title(chat, world)) > 0
}
