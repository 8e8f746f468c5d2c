/**
 * Decides which messages of a chat count as read, and where the line of new messages is. Pure.
 *
 * A message is read if it was on the screen of a window with the focus. The read mark is one number, so it follows the
 * reader only if every message between the mark and the screen was seen. After a jump, the mark stays until the reader
 * returns to the first unread message.
 */

import type { Message } from "@/api/nouns"

/** The messages on the screen: the first visible message, and the last message whose end is visible. */
export interface View {
  readonly first: number
  readonly last: number
}

export interface Known {
  /** The loaded messages, by number, without gaps. */
  readonly items: readonly Message[]
  readonly mark: number
  /** The first unread message when the chat was opened; all messages between the mark and it are deleted. */
  readonly firstUnread: number | null
}

/** Whether every message from the mark to the screen was seen, now or while the reader scrolled without a jump. */
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
 * The number that the line of new messages follows; null for no line. While the reader looks, the line stays in place;
 * messages that arrive while the reader does not look are new.
 */
export function dividerAfter(
  divider: number | null,
  chat: { last_read_number: number; unread_count: number },
  isAttended: boolean,
): number | null {
  return isAttended || chat.unread_count === 0 ? divider : chat.last_read_number
}

/** The direction from the screen to the first new message; null if it is on the screen or does not exist. */
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
