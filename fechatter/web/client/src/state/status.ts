/** A person's status: an emoji, a short text, and the time at which it ends. Pure. */

import type { Status } from "@/api/nouns"

export const UNTIL = ["halfHour", "hour", "today", "week", "open"] as const
export type Until = (typeof UNTIL)[number]

/** Returns the status of a person, unless it has ended. The server clears it a moment later. */
export function statusOf(person: { status?: Status | null } | undefined, nowMs: number): Status | null {
  const status = person?.status ?? null
  return status !== null && (status.until === null || Date.parse(status.until) > nowMs) ? status : null
}

/** Returns the emoji and the text in one line. */
export function statusText({ emoji, text }: Status): string {
  return [emoji, text].filter(part => part !== "").join(" ")
}

/** Returns the end of a status as the server stores it. A day ends at midnight and a week on Sunday, both here. */
export function endOf(until: Until, now: Date): string | null {
  if (until === "open") return null
  if (until === "halfHour") return new Date(now.getTime() + 30 * 60_000).toISOString()
  if (until === "hour") return new Date(now.getTime() + 60 * 60_000).toISOString()
  const days = until === "today" ? 0 : (7 - now.getDay()) % 7
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 23, 59, 59).toISOString()
}
