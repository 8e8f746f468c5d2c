import { expect, test } from "vitest"
import type { Chat } from "@/api/nouns"
import { badgeCount, badgeTotal, isBold, isUnread } from "@/state/attention"

function chat(facts: Partial<Chat>): Chat {
  return { chat_type: "single", unread_count: 3, archived_at: null, muted: false, starred: false, ...facts } as Chat
}

test("a badge counts direct chats and groups, but not channels", () => {
  expect(badgeCount(chat({}))).toBe(3)
  expect(badgeCount(chat({ chat_type: "group" }))).toBe(3)
  expect(badgeCount(chat({ chat_type: "public_channel" }))).toBe(0)
  expect(badgeCount(chat({ chat_type: "private_channel" }))).toBe(0)
})

test("a muted or archived chat is not bold and has no badge, but a muted chat can be unread", () => {
  for (const facts of [{ muted: true }, { archived_at: "2026-01-01" }]) {
    expect(badgeCount(chat(facts))).toBe(0)
    expect(isBold(chat(facts))).toBe(false)
  }
  expect(isUnread(chat({ muted: true }))).toBe(true)
  expect(isUnread(chat({ archived_at: "2026-01-01" }))).toBe(false)
})

test("an unread channel is bold, and the title shows the sum of the badges", () => {
  const chats = [chat({}), chat({ chat_type: "public_channel" }), chat({ muted: true }), chat({ chat_type: "group" })]
  expect(isBold(chats[1]!)).toBe(true)
  expect(badgeTotal(chats)).toBe(chats.reduce((sum, each) => sum + badgeCount(each), 0))
  expect(badgeTotal(chats)).toBe(6)
})

test("a chat from an older server or an earlier visit has no preferences", () => {
  const { muted, starred, ...older } = chat({})
  expect([muted, starred, badgeCount(older as Chat)]).toEqual([false, false, 3])
})
