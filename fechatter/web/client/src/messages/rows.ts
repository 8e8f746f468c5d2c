/** The rows of a chat: messages grouped by author and day, and the line of new messages. Pure. */

import type { Message } from "@/api/nouns"
import { isNews } from "@/messages/reading"
import type { Waiting } from "@/state/waiting"

const GROUP_MS = 5 * 60 * 1000

export type Row =
  | { kind: "day"; key: string; at: string }
  | { kind: "news"; key: "news" }
  | { kind: "message"; key: string; message: Message; isFirst: boolean }
  | { kind: "waiting"; key: string; item: Waiting; isFirst: boolean }

interface Shown {
  items: readonly Message[]
  waiting: readonly Waiting[]
  /** The line of new messages is before the first message after this number; null for no line. */
  newsAfter: number | null
  me: number
}

export function rows({ items, waiting, newsAfter, me }: Shown): Row[] {
  const lines: Row[] = []
  let before: Message | null = null
  let hasNews = false
  for (const message of items) {
    const isNewDay = before === null || !isSameDay(before.created_at, message.created_at)
    if (isNewDay) lines.push({ kind: "day", key: `day-${message.number}`, at: message.created_at })
    const isFirstNews: boolean = !hasNews && isNews(message, newsAfter)
    if (isFirstNews) lines.push({ kind: "news", key: "news" })
    hasNews ||= isFirstNews
    const isFirst = isNewDay || isFirstNews || !isSameGroup(before, message)
    lines.push({ kind: "message", key: `message-${message.number}`, message, isFirst })
    before = message
  }
  waiting.forEach((item, place) => {
    const isFirst =
      place === 0 && !(before?.sender_id === me && item.writtenAtMs - Date.parse(before.created_at) < GROUP_MS)
    lines.push({ kind: "waiting", key: `waiting-${item.key}`, item, isFirst })
  })
  return lines
}

function isSameGroup(before: Message | null, message: Message): boolean {
  if (before === null || before.sender_id !== message.sender_id) return false
  return Date.parse(message.created_at) - Date.parse(before.created_at) < GROUP_MS
}

/** Compares days in the reader's time zone. */
function isSameDay(one: string, other: string): boolean {
  return new Date(one).toDateString() === new Date(other).toDateString()
}
