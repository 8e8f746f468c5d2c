import { expect, test } from "vitest"
import type { Message } from "@/api/nouns"
import { dividerAfter, isFollowing, sideOf } from "@/messages/reading"

const AT = "2026-01-02T12:00:00.000Z"

/** Messages with these numbers; those with a minus are deleted. */
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

test("the mark follows a reader who sees the first unread message, and goes on from there", () => {
  const items = run(1, 60)
  expect(isFollowing(known(items, 20), { first: 15, last: 25 }, false)).toBe(true)
  expect(isFollowing(known(items, 20), { first: 21, last: 30 }, false)).toBe(true)
  expect(isFollowing(known(items, 20), { first: 22, last: 30 }, false)).toBe(false)
  // Scrolled on from there, however quickly.
  expect(isFollowing(known(items, 20), { first: 50, last: 60 }, true)).toBe(true)
})

test("where messages between the mark and the screen are not at hand, nobody saw them", () => {
  expect(isFollowing(known(run(40, 60), 20), { first: 40, last: 50 }, true)).toBe(false)
  expect(isFollowing(known(run(21, 60), 20), { first: 21, last: 50 }, false)).toBe(true)
  expect(isFollowing(known([], 0), { first: 1, last: 1 }, true)).toBe(false)
})

test("deleted messages need not be seen, few or thousands", () => {
  expect(isFollowing(known(messages(1, -2, -3, 4, 5), 1), { first: 4, last: 5 }, false)).toBe(true)
  expect(isFollowing(known(messages(-1, -2, -3), 0), { first: 3, last: 3 }, false)).toBe(true)
  const items = [...messages(...Array.from({ length: 25 }, (_, at) => -(4976 + at))), ...run(5001, 5025)]
  expect(isFollowing(known(items, 0, 5001), { first: 5001, last: 5010 }, false)).toBe(true)
  expect(isFollowing(known(items, 0, 5001), { first: 5002, last: 5010 }, false)).toBe(false)
})

test("the line stays while somebody looks, and begins anew with what arrives while nobody does", () => {
  expect(dividerAfter(3, { last_read_number: 9, unread_count: 2 }, true)).toBe(3)
  expect(dividerAfter(null, { last_read_number: 9, unread_count: 2 }, true)).toBe(null)
  expect(dividerAfter(null, { last_read_number: 9, unread_count: 2 }, false)).toBe(9)
  expect(dividerAfter(3, { last_read_number: 9, unread_count: 2 }, false)).toBe(9)
  expect(dividerAfter(3, { last_read_number: 9, unread_count: 0 }, false)).toBe(3)
})

test("it is known on which side of the screen the first unread message is", () => {
  const items = run(10, 60)
  expect(sideOf(20, items, { first: 30, last: 40 })).toBe("above")
  expect(sideOf(20, items, { first: 10, last: 20 })).toBe("below")
  expect(sideOf(20, items, { first: 15, last: 25 })).toBe(null)
  expect(sideOf(5, items, { first: 10, last: 20 })).toBe("above")
  expect(sideOf(null, items, { first: 10, last: 20 })).toBe(null)
  expect(sideOf(60, items, { first: 10, last: 20 })).toBe(null)
})
