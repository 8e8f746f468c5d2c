/**
 * The loaded messages of a chat: one run of numbers without gaps. Pure.
 *
 * A page, an event and the response to a send may contain the same message, in any order; its newest version stays. A
 * run has at most `MAX` messages. Messages far from the reader are dropped, and loaded again when the reader returns.
 */

import type { Message, MessagePage } from "@/api/nouns"

export const MAX = 400

export interface Timeline {
  readonly chatId: number
  /** Sorted by number, without gaps. */
  readonly items: readonly Message[]
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  /** Whether a page was loaded; before that, `items` contains only messages from events. */
  readonly isLoaded: boolean
}

export function empty(chatId: number): Timeline {
  return { chatId, items: [], hasOlder: false, hasNewer: false, isLoaded: false }
}

/** Start with a page, which the server sorts newest first: the newest page, or the page around a message. */
export function start(timeline: Timeline, page: MessagePage): Timeline {
  const items = ascending(page.items)
  const loaded: Timeline = { ...timeline, items, hasOlder: page.has_older, hasNewer: page.has_newer, isLoaded: true }
  // Messages from events belong to the end of the chat, so they are dropped if the page is not the end.
  return page.has_newer ? loaded : timeline.items.reduce((before, message) => addWithinRun(before, message), loaded)
}

/** Add the page before the oldest message. */
export function older(timeline: Timeline, page: MessagePage): Timeline {
  const first = timeline.items[0]
  const items = first === undefined ? [] : ascending(page.items).filter(message => message.number < first.number)
  const grown = [...items, ...timeline.items]
  return {
    ...timeline,
    items: grown.slice(0, MAX),
    hasOlder: page.has_older,
    hasNewer: timeline.hasNewer || grown.length > MAX,
  }
}

/** Add the page after the newest message. */
export function newer(timeline: Timeline, page: MessagePage): Timeline {
  const last = timeline.items.at(-1)
  const items = last === undefined ? [] : ascending(page.items).filter(message => message.number > last.number)
  const grown = [...timeline.items, ...items]
  const isCut = grown.length > MAX
  return {
    ...timeline,
    items: isCut ? grown.slice(-MAX) : grown,
    hasNewer: page.has_newer,
    hasOlder: timeline.hasOlder || isCut,
  }
}

/** Add one message from an event or a response. A full run drops messages at the end where the reader is not. */
export function withMessage(timeline: Timeline, message: Message, isReaderAtEnd = true): Timeline {
  if (!timeline.isLoaded) return { ...timeline, items: withItem(timeline.items, message).slice(-MAX) }
  const grown = addWithinRun(timeline, message)
  if (grown.items.length <= MAX) return grown
  if (isReaderAtEnd) return { ...grown, items: grown.items.slice(-MAX), hasOlder: true }
  return { ...grown, items: grown.items.slice(0, MAX), hasNewer: true }
}

/** Whether a message is missing in between, because its event or page has not arrived yet. */
export function hasHole(timeline: Timeline): boolean {
  const { items } = timeline
  const [first, last] = [items[0], items.at(-1)]
  return first !== undefined && last !== undefined && last.number - first.number + 1 !== items.length
}

/** Keep only the newest `count` messages, for a chat that is not open. */
export function newestOnly(timeline: Timeline, count: number): Timeline {
  if (timeline.hasNewer) return { ...empty(timeline.chatId) }
  if (timeline.items.length <= count) return timeline
  return { ...timeline, items: timeline.items.slice(-count), hasOlder: true }
}

function addWithinRun(timeline: Timeline, message: Message): Timeline {
  const [first, last] = [timeline.items[0], timeline.items.at(-1)]
  if (first !== undefined && message.number < first.number) return timeline
  if (timeline.hasNewer && (last === undefined || message.number > last.number)) return timeline
  return { ...timeline, items: withItem(timeline.items, message) }
}

function withItem(items: readonly Message[], message: Message): readonly Message[] {
  const before = items.findLastIndex(known => known.number < message.number)
  const place = before + 1
  const known = items[place]
  if (known === undefined || known.number !== message.number) return items.toSpliced(place, 0, message)
  return isNewer(message, known) ? items.with(place, { ...known, ...message }) : items
}

function isNewer(message: Message, known: Message): boolean {
  if (known.deleted_at !== null) return false
  return message.deleted_at !== null || message.revision >= known.revision
}

function ascending(items: readonly Message[]): Message[] {
  return items.toSorted((one, other) => one.number - other.number)
}
