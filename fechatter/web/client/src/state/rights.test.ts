import { expect, test } from "vitest"
import type { Chat, Role } from "@/api/nouns"
import { assignableRoles, may, mayChange, mayIn } from "@/state/rights"

const chat = (facts: Partial<Chat>) =>
  ({ chat_type: "public_channel", owner_id: 1, archived_at: null, ...facts }) as Chat
const person = (id: number, role: Role) => ({ id, role })

test("members write and leave; the chat's owner and admins manage it", () => {
  for (const who of [person(1, "member"), person(2, "admin"), person(3, "owner")])
    expect(mayIn(chat({}), "RENAME", who)).toBe(true)
  for (const who of [person(2, "member"), person(2, "guest")]) {
    expect(mayIn(chat({}), "RENAME", who)).toBe(false)
    expect(mayIn(chat({}), "SEND", who)).toBe(true)
  }
})

test("members can read and leave an archived chat, but not write to it", () => {
  const archived = chat({ archived_at: "2026-01-02T03:04:05.678Z" })
  expect(mayIn(archived, "SEND", person(2, "member"))).toBe(false)
  expect(mayIn(archived, "LEAVE", person(2, "member"))).toBe(true)
  expect(mayIn(archived, "ARCHIVE", person(1, "member"))).toBe(true)
})

test("nobody leaves a direct chat", () => {
  expect(mayIn(chat({ chat_type: "single" }), "LEAVE", person(1, "owner"))).toBe(false)
})

test("guests see no channels, and admins cannot make owners", () => {
  expect(may("SEE_CHANNELS", { role: "guest" })).toBe(false)
  expect(assignableRoles({ role: "admin" })).not.toContain("owner")
  expect(mayChange({ role: "admin" }, "owner")).toBe(false)
  expect(mayChange({ role: "owner" }, "owner")).toBe(true)
})
