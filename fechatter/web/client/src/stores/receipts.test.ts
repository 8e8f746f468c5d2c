import { createPinia, setActivePinia } from "pinia"
import { beforeEach, expect, test, vi } from "vitest"
import * as api from "@/api/call"
import type { Chat } from "@/api/nouns"
import type { DurableEvent } from "@/state/events"
import { useReceipts } from "@/stores/receipts"
import { fakeLive } from "@/testing/signals"

const CHAT = { id: 7, chat_type: "single", member_count: 2 } as Chat
let fake: ReturnType<typeof fakeLive>

beforeEach(() => {
  setActivePinia(createPinia())
  fake = fakeLive()
  useReceipts().begin()
})

const moved = (user_id: number, last_read_number: number, chat_id = 7) =>
  fake.signal({ name: "receipt.moved", data: { chat_id, user_id, last_read_number } })

test("the marks of a chat are loaded, and then follow the signals", async () => {
  vi.spyOn(api, "call").mockResolvedValue({ items: [{ user_id: 2, last_read_number: 3 }] })
  await useReceipts().load(CHAT)
  moved(2, 5)
  moved(3, 1)
  expect([...useReceipts().of(7)]).toEqual([
    [2, 5],
    [3, 1],
  ])
  fake.event({ type: "member.left", chat_id: 7, data: { member: { user_id: 2 } } } as Partial<DurableEvent>)
  expect([...useReceipts().of(7)]).toEqual([[3, 1]])
})

test("a mark that moves while the marks are loaded is newer than the response", async () => {
  vi.spyOn(api, "call").mockImplementation(async () => {
    moved(2, 9)
    const items = [2, 3].map(user_id => ({ user_id, last_read_number: 4 }))
    return { items }
  })
  await useReceipts().load(CHAT)
  expect(Object.fromEntries(useReceipts().of(7))).toEqual({ 2: 9, 3: 4 })
})

test("if the marks cannot be loaded, those that move are shown", async () => {
  vi.spyOn(api, "call").mockRejectedValue(new Error("refused"))
  await useReceipts().load(CHAT)
  moved(2, 5)
  expect([...useReceipts().of(7)]).toEqual([[2, 5]])
})

test("a channel has no receipts", async () => {
  const asked = vi.spyOn(api, "call")
  await useReceipts().load({ ...CHAT, chat_type: "public_channel" })
  moved(2, 5)
  expect(asked).not.toHaveBeenCalled()
  expect(useReceipts().of(7).size).toBe(0)
})
