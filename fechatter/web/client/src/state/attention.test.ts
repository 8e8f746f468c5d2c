import { expect, test } from "vitest"
import type { Chat } from "@/api/nouns"
import { countForMe, isLoud, isUnread, totalForMe } from "@/state/attention"

function chat(facts: Partial<Chat>): Chat {
  return { chat_type: "single", unread_count: 3, archived_at: null, muted: false, starred: false, ...facts } as Chat
}

test("a badge counts direct chats and groups, but not channels", () => {
  expect(countForMe(chat({}))).toBe(3)
  expect(countForMe(chat({ chat_type: "group" }))).toBe(3)
  expect(countForMe(chat({ chat_type: "public_channel" }))).toBe(0)
  expect(countForMe(chat({ chat_type: "private_channel" }))).toBe(0)
})

test("a muted or archived chat is not bold and has no badge, but a muted chat can be unread", () => {
  for (const facts of [{ muted: true }, { archived_at: "2026-01-01" }]) {
    expect(countForMe(chat(facts))).toBe(0)
    expect(isLoud(chat(facts))).toBe(false)
  }
  expect(isUnread(chat({ muted: true }))).toBe(true)
  expect(isUnread(chat({ archived_at: "2026-01-01" }))).toBe(false)
})

test("an unread channel is bold, and the title shows the sum of the badges", () => {
  const chats = [chat({}), chat({ chat_type: "public_channel" }), chat({ muted: true }), chat({ chat_type: "group" })]
  expect(isLoud(chats[1]!)).toBe(true)
  expect(totalForMe(chats)).toBe(chats.reduce((sum, each) => sum + countForMe(each), 0))
  expect(totalForMe(chats)).toBe(6)
})

test("a chat from an older server or an earlier visit has no preferences", () => {
  const { muted, starred, ...older } = chat({})
  expect([muted, starred, countForMe(older as Chat)]).toEqual([false, false, 3])
})
