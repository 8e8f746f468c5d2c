import { expect, test } from "vitest"
import type { Chat, Sync } from "@/api/nouns"
import { isWorthNotice, mentions } from "@/shell/worthNotice"
import { worldOf } from "@/state/world"

const NOW = Date.parse("2026-03-04T12:00:00.000Z")

function world(facts: Partial<Chat>) {
  const chat = { id: 7, members: [], archived_at: null, chat_type: "single", ...facts } as unknown as Chat
  const me = { id: 1, handle: "ada", fullname: "Ada", role: "member" } as Sync["me"]
  return worldOf({
    cursor: "e.1",
    me,
    workspace: { id: 1, slug: "", name: "", created_at: "", default_chat_id: null },
    chats: [chat],
  })
}

function created(content: string, facts: { sender_id?: number; at?: string } = {}) {
  const at = facts.at ?? "2026-03-04T11:59:59.000Z"
  const message = { id: 1, chat_id: 7, number: 3, sender_id: facts.sender_id ?? 2, content }
  return { type: "message.created", seq: 2, workspace_id: 1, chat_id: 7, at, data: { message } } as never
}

test("direct messages notify, and messages in a channel only with a mention", () => {
  expect(isWorthNotice(created("hi"), world({}), NOW)).toBe(true)
  expect(isWorthNotice(created("hi"), world({ chat_type: "group" }), NOW)).toBe(true)
  expect(isWorthNotice(created("hi"), world({ chat_type: "public_channel" }), NOW)).toBe(false)
  expect(isWorthNotice(created("hi @Ada!"), world({ chat_type: "public_channel" }), NOW)).toBe(true)
})

test("own messages, old messages, and archived and muted chats never notify", () => {
  expect(isWorthNotice(created("hi", { sender_id: 1 }), world({}), NOW)).toBe(false)
  expect(isWorthNotice(created("hi", { at: "2026-03-04T11:00:00.000Z" }), world({}), NOW)).toBe(false)
  expect(isWorthNotice(created("hi"), world({ archived_at: "2026-01-01" }), NOW)).toBe(false)
  expect(isWorthNotice(created("hi @ada"), world({ muted: true }), NOW)).toBe(false)
})

test("a handle matches only as a whole word", () => {
  expect(mentions("ask @ada.", "ada")).toBe(true)
  expect(mentions("ask @ada-lovelace or me@ada", "ada")).toBe(false)
  expect(mentions("@adam and @ada", "ada")).toBe(true)
  expect(mentions("@", "")).toBe(false)
})
