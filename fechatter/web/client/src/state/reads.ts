/**
 * The number of unread messages of a chat, derived from the numbers in frames. Pure.
 *
 * Unread = last number - read mark - deleted messages above the mark. Frames are the same for all members, so they
 * carry no counts. A response contains only the number of deleted messages above the mark, not which messages. A
 * reading therefore stores that count as of one event, and the later deletions. A mark names the event up to which its
 * count is valid, so marks and events may arrive in any order and repeatedly.
 */

import type { Chat, Message, ReadMark } from "@/api/nouns"

/** The maximum number of deletions that are stored one by one. Older ones are only counted, to limit the memory. */
const MAX_LATER = 500

interface Seen {
  readonly seq: number
  readonly number: number
}

export interface Reading {
  /** The newest event that `deletedAbove` includes. */
  readonly seq: number
  readonly deletedAbove: number
  readonly later: readonly Seen[]
  /** The person's newest own message: sending it moved the mark. */
  readonly sent: Seen | null
}

/** A chat whose counts follow from its reading. */
export interface Counted {
  readonly chat: Chat
  readonly reading: Reading
}

/** Returns the reading of a chat from a response at position `seq`. */
export function readingOf(chat: Chat, seq: number): Reading {
  const deletedAbove = chat.last_number - chat.last_read_number - chat.unread_count
  return { seq, deletedAbove, later: [], sent: null }
}

/** Apply a new message; sending an own message marks it as read. */
export function withMessage({ chat, reading }: Counted, message: Message, seq: number, me: number): Counted {
  const longer = { ...chat, last_number: message.number, last_message: message }
  if (message.sender_id !== me || seq <= reading.seq) return counted(longer, reading)
  const sent = { seq, number: message.number }
  return counted({ ...longer, last_read_number: message.number }, { seq, deletedAbove: 0, later: [], sent })
}

/** Apply the deletion of a message at position `seq`. */
export function withDeletion({ chat, reading }: Counted, number: number, seq: number): Counted {
  if (seq <= reading.seq) return { chat, reading }
  const later = [...reading.later, { seq, number }]
  return counted(chat, later.length > MAX_LATER ? folded(chat, { ...reading, later }) : { ...reading, later })
}

/** Apply a read mark. The higher revision wins, then the higher number, then the newer count. */
export function withMark(known: Counted, mark: ReadMark): Counted {
  return isNews(known, mark) ? withResumedMark(known, mark) : known
}

/** Apply a read mark of `resumed`. It replaces even a higher mark, which a restored database may have lost. */
export function withResumedMark({ chat, reading }: Counted, mark: ReadMark): Counted {
  const { sent } = reading
  const isSentSince = sent !== null && sent.seq > mark.seq && sent.number > mark.last_read_number
  const seq = isSentSince ? sent.seq : mark.seq
  return counted(
    {
      ...chat,
      read_revision: mark.revision,
      last_read_number: isSentSince ? sent.number : mark.last_read_number,
    },
    {
      seq,
      deletedAbove: isSentSince ? 0 : mark.deleted_above,
      later: reading.later.filter(each => each.seq > seq),
      sent,
    },
  )
}

/** Move the mark forward to `number` on this device. If `isUnclear`, the count is a guess until the server responds. */
export function withReadUpTo({ chat, reading }: Counted, number: number): Counted {
  if (number <= chat.last_read_number) return { chat, reading }
  const deletedAbove = Math.min(reading.deletedAbove, Math.max(0, chat.last_number - number))
  return counted({ ...chat, last_read_number: number }, { ...reading, deletedAbove })
}

/** Whether it is unknown which deleted messages are above a mark at `number`. */
export function isUnclear({ chat, reading }: Counted, number: number): boolean {
  return reading.deletedAbove > 0 && number < chat.last_number
}

/** Apply a whole chat from a response at position `seq`; a mark that is newer than the response stays. */
export function replaced(known: Counted | undefined, chat: Chat, seq: number): Counted {
  const response = { chat, reading: readingOf(chat, seq) }
  if (known === undefined || !isHigher(markOf(known.chat), markOf(chat))) return response
  const { last_read_number: number, read_revision } = known.chat
  if (known.reading.seq >= seq) return counted({ ...chat, read_revision, last_read_number: number }, known.reading)
  return withReadUpTo({ ...response, chat: { ...chat, read_revision } }, number)
}

function counted(chat: Chat, reading: Reading): Counted {
  const later = reading.later.filter(each => each.number > chat.last_read_number).length
  const unread = chat.last_number - chat.last_read_number - reading.deletedAbove - later
  return { chat: { ...chat, unread_count: Math.max(0, unread) }, reading }
}

function folded(chat: Chat, reading: Reading): Reading {
  const half = reading.later.slice(0, MAX_LATER / 2)
  const above = half.filter(each => each.number > chat.last_read_number).length
  return {
    ...reading,
    seq: half.at(-1)?.seq ?? reading.seq,
    deletedAbove: reading.deletedAbove + above,
    later: reading.later.slice(half.length),
  }
}

interface Mark {
  readonly revision: number
  readonly number: number
}

function markOf(chat: Chat): Mark {
  return { revision: chat.read_revision, number: chat.last_read_number }
}

function isHigher(one: Mark, other: Mark): boolean {
  return one.revision > other.revision || (one.revision === other.revision && one.number > other.number)
}

function isNews({ chat, reading }: Counted, mark: ReadMark): boolean {
  const received = { revision: mark.revision, number: mark.last_read_number }
  if (isHigher(received, markOf(chat))) return true
  return !isHigher(markOf(chat), received) && mark.seq >= reading.seq
}
