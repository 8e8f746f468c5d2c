import { expect, test } from "vitest"
import type { Chat, Message } from "@/api/nouns"
import { hasReceipts, isAnswered, seenAt } from "@/state/receipts"

const ME = 1
const message = (number: number, sender_id: number, deleted_at: string | null = null) =>
  ({ number, sender_id, deleted_at }) as Message
const chat = (chat_type: Chat["chat_type"], member_count: number) => ({ chat_type, member_count }) as Chat

test("each person is at the last own message that the person has read", () => {
  const items = [message(1, ME), message(2, 2), message(3, ME), message(4, ME), message(5, 3)]
  const marks = new Map([
    [2, 3],
    [3, 5],
    [4, 2],
    [5, 0],
  ])
  expect(seenAt(items, ME, marks)).toEqual(
    new Map([
      [3, [2]],
      [4, [3]],
      [1, [4]],
    ]),
  )
})

test("the own read mark, deleted messages and messages that are not loaded show nothing", () => {
  const items = [message(7, ME), message(8, ME, "2026-01-02T03:04:05.678Z")]
  expect(seenAt(items, ME, new Map([[ME, 8]]))).toEqual(new Map())
  expect(seenAt(items, ME, new Map([[2, 6]]))).toEqual(new Map())
  expect(seenAt(items, ME, new Map([[2, 8]]))).toEqual(new Map([[7, [2]]]))
})

test("a person who writes has seen the own messages before that", () => {
  const items = [message(1, ME), message(2, 2), message(3, ME)]
  expect(seenAt(items, ME, new Map())).toEqual(new Map([[1, [2]]]))
  expect(seenAt(items, ME, new Map([[2, 3]]))).toEqual(new Map([[3, [2]]]))
  expect([isAnswered(items, ME, 1), isAnswered(items, ME, 3)]).toEqual([true, false])
})

test("direct chats and small groups have receipts", () => {
  expect(hasReceipts(chat("single", 2))).toBe(true)
  expect(hasReceipts(chat("group", 20))).toBe(true)
  expect(hasReceipts(chat("group", 21))).toBe(false)
  expect(hasReceipts(chat("private_channel", 3))).toBe(false)
  expect(hasReceipts(chat("public_channel", 3))).toBe(false)
})
