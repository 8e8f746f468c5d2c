import { createPinia, setActivePinia } from "pinia"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import * as api from "@/api/call"
import type { DurableEvent } from "@/state/events"
import { useTyping } from "@/stores/typing"
import { fakeLive } from "@/testing/signals"

let fake: ReturnType<typeof fakeLive>
let requests: string[]

beforeEach(() => {
  vi.useFakeTimers()
  setActivePinia(createPinia())
  fake = fakeLive()
  requests = []
  vi.spyOn(api, "call").mockImplementation(async (method, path) => void requests.push(`${method} ${path}`))
  useTyping().begin()
})

afterEach(() => {
  useTyping().reset()
  vi.useRealTimers()
})

const started = (user_ids: number[], chat_id = 7) =>
  fake.signal({ name: "typing.started", data: { chat_id, user_ids, count: user_ids.length, expires_in: 6 } })

const message = (sender_id: number, chat_id = 7) =>
  fake.event({ type: "message.created", chat_id, data: { message: { sender_id } } } as Partial<DurableEvent>)

test("people are shown as typing in their chat until their time is over", async () => {
  started([2])
  await vi.advanceTimersByTimeAsync(2000)
  started([3])
  expect([useTyping().inChat(7), useTyping().inChat(8)]).toEqual([[2, 3], []])
  await vi.advanceTimersByTimeAsync(4000)
  expect(useTyping().inChat(7)).toEqual([3])
  await vi.advanceTimersByTimeAsync(2000)
  expect(useTyping().inChat(7)).toEqual([])
})

test("a message ends the typing of its author in that chat only", () => {
  started([2, 3])
  started([2], 8)
  message(2)
  expect([useTyping().inChat(7), useTyping().inChat(8)]).toEqual([[3], [2]])
})

test("the person's typing is sent once in three seconds for each chat", async () => {
  const { typed } = useTyping()
  const chats = () => fake.commands.splice(0).map(command => (command as { chat_id: number }).chat_id)
  typed(7)
  typed(7)
  typed(8)
  expect(chats()).toEqual([7, 8])
  await vi.advanceTimersByTimeAsync(2999)
  typed(7)
  expect(chats()).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  typed(7)
  expect(chats()).toEqual([7])
  expect(requests).toEqual([])
})

test("without a socket a request is sent, and without a connection nothing", () => {
  fake.hasSocket.value = false
  useTyping().typed(7)
  fake.isConnected.value = false
  useTyping().typed(8)
  expect(requests).toEqual(["POST /api/chat/7/typing"])
})
