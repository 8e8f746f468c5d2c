/** Who has seen the person's own messages. Pure. */

import type { Chat, Message } from "@/api/nouns"

const MAX_MEMBERS = 20

/** Receipts are shown in direct chats and small groups. */
export function hasReceipts(chat: Chat): boolean {
  return chat.chat_type === "single" || (chat.chat_type === "group" && chat.member_count <= MAX_MEMBERS)
}

/**
 * Returns the people who have seen a message, by its number. Each person is at one message: the last own message up to
 * the person's read mark, or up to the person's own last message.
 */
export function seenAt(
  items: readonly Message[],
  me: number,
  marks: ReadonlyMap<number, number>,
): Map<number, readonly number[]> {
  const mine = items.filter(item => item.sender_id === me && item.deleted_at === null)
  const found = new Map<number, number[]>()
  for (const [userId, mark] of withMessages(items, marks)) {
    const last = userId === me ? undefined : mine.findLast(item => item.number <= mark)
    if (last) found.set(last.number, [...(found.get(last.number) ?? []), userId])
  }
  return found
}

/** Returns the marks, with the messages of their people. There is no receipt for a message that a person sends. */
function withMessages(items: readonly Message[], marks: ReadonlyMap<number, number>): Map<number, number> {
  const found = new Map(marks)
  for (const { sender_id, number } of items) found.set(sender_id, Math.max(found.get(sender_id) ?? 0, number))
  return found
}

/** Whether the other person of a direct chat has written after a message, so it has been seen. */
export function isAnswered(items: readonly Message[], me: number, number: number): boolean {
  return items.some(item => item.sender_id !== me && item.number > number)
}
