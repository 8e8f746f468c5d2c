/**
 * What of a chat counts as read, and where the line of new messages stands. Pure.
 *
 * A message is read when it was on the screen of a window with the focus. The read mark is one number, so it follows the
 * reader only as long as nothing between the mark and the screen was left out: after a jump it stays until the reader
 * comes back to the first unread message.
 */

import type { Message } from "@/api/nouns"

/** What is on the screen: the first message of which something shows, the last one that shows to its end. */
export interface View {
  readonly first: number
  readonly last: number
}

export interface Known {
  /** The messages at hand, by number, without holes. */
  readonly items: readonly Message[]
  readonly mark: number
  /** The first unread message when the chat was opened: what is between it and the mark is deleted. */
  readonly firstUnread: number | null
}

/** Whether everything from the mark down to the screen was seen: it is there now, or was and the reader only scrolled. */
export function isFollowing(known: Known, view: View, wasFollowing: boolean): boolean {
  const floor = readFloor(known)
  const oldest = known.items[0]
  if (oldest === undefined || oldest.number > floor + 1) return false
  const next = known.items.find(message => message.number > floor && message.deleted_at === null)
  return wasFollowing || next === undefined || view.first <= next.number
}

/** Everything up to this number is read or deleted. */
function readFloor({ mark, firstUnread }: Known): number {
  return firstUnread !== null && mark < firstUnread ? firstUnread - 1 : mark
}

/**
 * The number that the line of new messages follows; null for no line. While somebody looks it stays where it is; what
 * arrives while nobody does is new.
 */
export function dividerAfter(
  divider: number | null,
  chat: { last_read_number: number; unread_count: number },
  isAttended: boolean,
): number | null {
  return isAttended || chat.unread_count === 0 ? divider : chat.last_read_number
}

/** Where the first new message is from the screen; null where it is on it, or not there at all. */
export function sideOf(divider: number | null, items: readonly Message[], view: View): "above" | "below" | null {
  const [oldest, newest] = [items[0], items.at(-1)]
  if (divider === null || oldest === undefined || newest === undefined) return null
  if (divider + 1 < oldest.number) return "above"
  const first = items.find(message => isNews(message, divider))?.number ?? newest.number + 1
  if (first > newest.number) return null
  if (first < view.first) return "above"
  return first > view.last ? "below" : null
}

/** Whether a message is beyond the line of new messages. */
export function isNews(message: Message, divider: number | null): boolean {
  return divider !== null && message.number > divider && message.deleted_at === null
}
