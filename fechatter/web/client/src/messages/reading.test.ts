import { expect, test } from "vitest"
import type { Message } from "@/api/nouns"
import { dividerAfter, isFollowing, sideOf } from "@/messages/reading"

const AT = "2026-01-02T12:00:00.000Z"

/** Returns messages with these numbers. A negative number means a deleted message. */
function messages(...numbers: number[]): Message[] {
  return numbers.map(number => ({
    id: 100 + Math.abs(number),
    chat_id: 7,
    number: Math.abs(number),
    sender_id: 2,
    content: number < 0 ? "" : "x",
    revision: 1,
    created_at: AT,
    edited_at: null,
    deleted_at: number < 0 ? AT : null,
  }))
}

const run = (from: number, to: number) => messages(...Array.from({ length: to - from + 1 }, (_, at) => from + at))
const known = (items: Message[], mark: number, firstUnread: number | null = null) => ({ items, mark, firstUnread })

test("the mark follows a reader who has seen the first unread message", () => {
  const items = run(1, 60)
  expect(isFollowing(known(items, 20), { first: 15, last: 25 }, false)).toBe(true)
  expect(isFollowing(known(items, 20), { first: 21, last: 30 }, false)).toBe(true)
  expect(isFollowing(known(items, 20), { first: 22, last: 30 }, false)).toBe(false)
  // The reader scrolled from there without a jump.
  expect(isFollowing(known(items, 20), { first: 50, last: 60 }, true)).toBe(true)
})

test("messages between the mark and the screen that are not loaded were not seen", () => {
  expect(isFollowing(known(run(40, 60), 20), { first: 40, last: 50 }, true)).toBe(false)
  expect(isFollowing(known(run(21, 60), 20), { first: 21, last: 50 }, false)).toBe(true)
  expect(isFollowing(known([], 0), { first: 1, last: 1 }, true)).toBe(false)
})

test("any number of deleted messages counts as seen", () => {
  expect(isFollowing(known(messages(1, -2, -3, 4, 5), 1), { first: 4, last: 5 }, false)).toBe(true)
  expect(isFollowing(known(messages(-1, -2, -3), 0), { first: 3, last: 3 }, false)).toBe(true)
  const items = [...messages(...Array.from({ length: 25 }, (_, at) => -(4976 + at))), ...run(5001, 5025)]
  expect(isFollowing(known(items, 0, 5001), { first: 5001, last: 5010 }, false)).toBe(true)
  expect(isFollowing(known(items, 0, 5001), { first: 5002, last: 5010 }, false)).toBe(false)
})

test("the line of new messages moves to messages that arrive while the reader looks away, and to no others", () => {
  expect(dividerAfter(3, { last_read_number: 9, unread_count: 2 }, true)).toBe(3)
  expect(dividerAfter(null, { last_read_number: 9, unread_count: 2 }, true)).toBe(null)
  expect(dividerAfter(null, { last_read_number: 9, unread_count: 2 }, false)).toBe(9)
  expect(dividerAfter(3, { last_read_number: 9, unread_count: 2 }, false)).toBe(9)
  expect(dividerAfter(3, { last_read_number: 9, unread_count: 0 }, false)).toBe(3)
})

test("the first new message is above, below or on the screen", () => {
  const items = run(10, 60)
  expect(sideOf(20, items, { first: 30, last: 40 })).toBe("above")
  expect(sideOf(20, items, { first: 10, last: 20 })).toBe("below")
  expect(sideOf(20, items, { first: 15, last: 25 })).toBe(null)
  expect(sideOf(5, items, { first: 10, last: 20 })).toBe("above")
  expect(sideOf(null, items, { first: 10, last: 20 })).toBe(null)
  expect(sideOf(60, items, { first: 10, last: 20 })).toBe(null)
})
