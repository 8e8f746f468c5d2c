/** The sections of the sidebar. Pure. */

import type { Chat } from "@/api/nouns"
import { score } from "@/i18n/matching"
import { isBold } from "@/state/attention"
import { byActivity, byTitle, isChannel, title } from "@/state/names"
import type { World } from "@/state/world"

/** Each chat is in exactly one section. */
export interface Sections {
  unread: Chat[]
  starred: Chat[]
  channels: Chat[]
  direct: Chat[]
  /** Direct chats without recent activity, shown on demand. */
  older: Chat[]
  archived: Chat[]
}

export interface Shown {
  filter?: string
  /** The open chat, which is never in `older`. */
  openId?: number | undefined
  /** The open chat stays in the section from which it was opened; reading and new messages do not move it. */
  stay?: { readonly id: number; readonly isUnread: boolean } | undefined
}

export const MAX_DIRECT = 15

const NAMES = ["unread", "starred", "channels", "direct", "older", "archived"] as const

/** Unread chats come first: direct chats by activity, then channels by name. */
export function sections(world: World, locale: string, { filter = "", openId, stay }: Shown = {}): Sections {
  const all = [...world.chats.values()].filter(chat => isListed(chat, world) && fits(chat, world, filter))
  const [active, archived] = parted(all, chat => chat.archived_at === null)
  const [unread, read] = parted(active, chat => (chat.id === stay?.id ? stay.isUnread : isBold(chat)))
  const [starred, plain] = parted(read, chat => chat.starred)
  const [channels, direct] = parted(plain, isChannel)
  const ordered = byActivity(direct)
  const isRecent = (chat: Chat, place: number) => place < MAX_DIRECT || chat.id === openId || filter.trim() !== ""
  return {
    unread: mixed(unread, world, locale),
    starred: mixed(starred, world, locale),
    channels: byTitle(channels, world, locale),
    direct: ordered.filter(isRecent),
    older: ordered.filter((chat, place) => !isRecent(chat, place)),
    archived: byTitle(archived, world, locale),
  }
}

/** Direct chats before channels. */
function mixed(chats: Chat[], world: World, locale: string): Chat[] {
  const [channels, direct] = parted(chats, isChannel)
  return [...byActivity(direct), ...byTitle(channels, world, locale)]
}

function parted(chats: Chat[], fits: (chat: Chat) => boolean): [Chat[], Chat[]] {
  return [chats.filter(fits), chats.filter(chat => !fits(chat))]
}

/** Returns the chats of `now` in their places of `before`, so that no row moves while a person is about to click it. */
export function steady(before: Sections, now: Sections): Sections {
  const known = new Map(NAMES.flatMap(name => now[name]).map(chat => [chat.id, chat]))
  const placed = new Set(NAMES.flatMap(name => before[name]).map(chat => chat.id))
  const section = (name: (typeof NAMES)[number]) => [
    ...before[name].flatMap(chat => known.get(chat.id) ?? []),
    ...now[name].filter(chat => !placed.has(chat.id)),
  ]
  return {
    unread: section("unread"),
    starred: section("starred"),
    channels: section("channels"),
    direct: section("direct"),
    older: section("older"),
    archived: section("archived"),
  }
}

/** Returns the next or previous chat, or the next or previous unread one. After the last one comes the first. */
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
    if (chat !== undefined && chat.id !== from && (!onlyUnread || isBold(chat))) return chat
  }
  return undefined
}

/** Returns the direct chat with a person, if it exists. */
export function singleWith(world: World, userId: number): Chat | undefined {
  return [...world.chats.values()].find(
    chat => chat.chat_type === "single" && chat.members.some(member => member.id === userId),
  )
}

/** Returns the group of exactly these people and me, if it exists and everybody can still write in it. */
export function groupOf(world: World, userIds: readonly number[]): Chat | undefined {
  const wanted = new Set([world.me.id, ...userIds])
  return byActivity([...world.chats.values()]).find(
    chat =>
      chat.chat_type === "group" &&
      chat.archived_at === null &&
      chat.member_count === wanted.size &&
      // Chats contain only their first members, so larger groups cannot be compared.
      chat.members.length === wanted.size &&
      chat.members.every(member => wanted.has(member.id)),
  )
}

/** A direct chat that the other person opened is listed after its first message. */
export function isListed(chat: Chat, world: World): boolean {
  return chat.chat_type !== "single" || chat.last_number > 0 || chat.owner_id === world.me.id
}

function fits(chat: Chat, world: World, filter: string): boolean {
  return filter.trim() === "" || score(filter, title(chat, world)) > 0
}
