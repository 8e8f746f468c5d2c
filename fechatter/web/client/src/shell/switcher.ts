/** The targets of the switcher, in the order of the list. Pure. */

import type { Chat } from "@/api/nouns"
import type { IconName } from "@/components/icons"
import { best } from "@/i18n/matching"
import { isBold } from "@/state/attention"
import { isListed } from "@/state/lists"
import { byActivity, title } from "@/state/names"
import type { Person, World } from "@/state/world"

const MAX = 30
const MAX_NEWEST = 8

export interface Action {
  label: string
  icon: IconName
  keys?: string
  run: () => void
}

export type Target =
  | { kind: "chat"; id: string; chat: Chat; label: string }
  | { kind: "person"; id: string; person: Person; label: string }
  | { kind: "action"; id: string; action: Action; label: string }

/**
 * Returns the matching targets, best first. Without a query, returns the newest chats and the actions.
 *
 * Among equal matches, unread chats come first, then other chats, people and actions.
 */
export function targets(world: World, actions: readonly Action[], query: string): Target[] {
  const chats = chatTargets(world)
  const offered = actions.map((action, index): Target => {
    return { kind: "action", id: `action-${index}`, action, label: action.label }
  })
  if (query.trim() === "") return [...chats.filter(isActive).slice(0, MAX_NEWEST), ...offered]
  return best(query, [...chats, ...personTargets(world), ...offered], text).slice(0, MAX)
}

function chatTargets(world: World): Target[] {
  const newest = byActivity([...world.chats.values()].filter(chat => isListed(chat, world)))
  const unread = newest.filter(isBold)
  const read = newest.filter(chat => !isBold(chat))
  const rest = [...read.filter(chat => chat.archived_at === null), ...read.filter(chat => chat.archived_at !== null)]
  return [...unread, ...rest].map(chat => ({ kind: "chat", id: `chat-${chat.id}`, chat, label: title(chat, world) }))
}

/** Returns the people without a direct chat; other people appear as chats. */
function personTargets(world: World): Target[] {
  const withChat = new Set(
    [...world.chats.values()]
      .filter(chat => chat.chat_type === "single" && isListed(chat, world))
      .flatMap(chat => chat.members.map(one => one.id)),
  )
  return [...world.people.values()]
    .filter(person => person.id !== world.me.id && !person.disabled && !withChat.has(person.id))
    .map(person => ({ kind: "person", id: `person-${person.id}`, person, label: person.fullname }))
}

function text(target: Target): string {
  return target.kind === "person" ? `${target.label} ${target.person.handle}` : target.label
}

function isActive(target: Target): boolean {
  return target.kind !== "chat" || target.chat.archived_at === null
}
