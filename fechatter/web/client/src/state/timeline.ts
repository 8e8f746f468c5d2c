/**
 * The messages of a chat that are at hand: one unbroken run of numbers. Pure.
 *
 * A page, an event and the answer to one's own send may bring the same message in any order; the newest form of it stays.
 * The run never grows beyond `MAX`: what is far from the reader is let go, and loaded again when they come back.
 */

import type { Message, MessagePage } from "@/api/nouns"

export const MAX = 400

export interface Timeline {
  readonly chatId: number
  /** By number, ascending, without holes. */
  readonly items: readonly Message[]
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  /** Whether a page was loaded yet; before that `items` holds only what came live. */
  readonly isLoaded: boolean
}

export function empty(chatId: number): Timeline {
  return { chatId, items: [], hasOlder: false, hasNewer: false, isLoaded: false }
}

/** Begin with a page (newest first, as the server gives it): the newest, or the one around a message. */
export function start(timeline: Timeline, page: MessagePage): Timeline {
  const items = ascending(page.items)
  const loaded: Timeline = { ...timeline, items, hasOlder: page.has_older, hasNewer: page.has_newer, isLoaded: true }
  // What came live meanwhile belongs to the end; where the page is not the end, it is not at hand.
  return page.has_newer ? loaded : timeline.items.reduce((before, message) => merged(before, message), loaded)
}

/** Add the page that ends right before the oldest message. */
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

/** Add the page that begins right after the newest message. */
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

/** Take one message, from an event or an answer; a full run lets go of the end that the reader is not at. */
export function take(timeline: Timeline, message: Message, isReaderAtEnd = true): Timeline {
  if (!timeline.isLoaded) return { ...timeline, items: keep(timeline.items, message).slice(-MAX) }
  const grown = merged(timeline, message)
  if (grown.items.length <= MAX) return grown
  if (isReaderAtEnd) return { ...grown, items: grown.items.slice(-MAX), hasOlder: true }
  return { ...grown, items: grown.items.slice(0, MAX), hasNewer: true }
}

/** Whether a message before this one is missing: its event or page is still to come. */
export function hasHole(timeline: Timeline): boolean {
  const { items } = timeline
  const [first, last] = [items[0], items.at(-1)]
  return first !== undefined && last !== undefined && last.number - first.number + 1 !== items.length
}

/** Let go of all but the newest `count`, for a chat that nobody looks at. */
export function rest(timeline: Timeline, count: number): Timeline {
  if (timeline.hasNewer) return { ...empty(timeline.chatId) }
  if (timeline.items.length <= count) return timeline
  return { ...timeline, items: timeline.items.slice(-count), hasOlder: true }
}

function merged(timeline: Timeline, message: Message): Timeline {
  const [first, last] = [timeline.items[0], timeline.items.at(-1)]
  if (first !== undefined && message.number < first.number) return timeline
  if (timeline.hasNewer && (last === undefined || message.number > last.number)) return timeline
  return { ...timeline, items: keep(timeline.items, message) }
}

function keep(items: readonly Message[], message: Message): readonly Message[] {
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
