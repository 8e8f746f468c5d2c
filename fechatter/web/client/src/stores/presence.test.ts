import { createPinia, setActivePinia } from "pinia"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { nextTick } from "vue"
import * as api from "@/api/call"
import type { PresenceState } from "@/api/signals"
import { usePresence } from "@/stores/presence"
import { fakeLive } from "@/testing/signals"

const MINUTE_MS = 60_000
let fake: ReturnType<typeof fakeLive>
let visit: AbortController
/** The people of each subscription, or the state of each report. */
let subscriptions: number[][]
let states: Map<number, PresenceState>
let isFailing = false

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  setActivePinia(createPinia())
  fake = fakeLive()
  fake.isConnected.value = false
  visit = new AbortController()
  subscriptions = []
  states = new Map()
  isFailing = false
  vi.spyOn(api, "call").mockImplementation(async (_method, path, wanted) => {
    if (isFailing) throw new Error("refused")
    if (path === "/api/users/me") return wanted?.body
    const { user_ids } = wanted?.body as { user_ids: number[] }
    subscriptions.push(user_ids)
    return { presences: user_ids.flatMap(id => (states.has(id) ? [{ user_id: id, state: states.get(id) }] : [])) }
  })
  usePresence().begin(visit.signal)
})

afterEach(() => {
  visit.abort()
  vi.useRealTimers()
})

const settle = (milliseconds = 2000) => vi.advanceTimersByTimeAsync(milliseconds)
const reports = () => fake.commands.splice(0).map(command => (command as { state: string }).state)

async function connect(): Promise<void> {
  fake.isConnected.value = true
  await nextTick()
  await settle()
}

test("people who appear together are subscribed to in one request, which brings their presence", async () => {
  states = new Map([
    [2, "online"],
    [3, "dnd"],
  ])
  await connect()
  const presence = usePresence()
  for (const id of [2, 3, 4]) presence.show(id)
  await settle()
  expect(subscriptions).toEqual([[2, 3, 4]])
  expect([2, 3, 4].map(presence.stateOf)).toEqual(["online", "dnd", "offline"])
  fake.signal({ name: "presence.changed", data: { presences: [{ user_id: 2, state: "away" }] } })
  expect([2, 3].map(presence.stateOf)).toEqual(["away", "dnd"])
})

test("a person who leaves the screen is dropped with the next subscription", async () => {
  await connect()
  const presence = usePresence()
  presence.show(2)
  presence.show(2)
  presence.show(3)
  await settle()
  presence.hide(2)
  presence.hide(3)
  await settle()
  expect(subscriptions).toEqual([[2, 3]])
  presence.show(4)
  await settle()
  expect(subscriptions.at(-1)).toEqual([2, 4])
})

test("a subscription contains at most 500 people", async () => {
  await connect()
  for (let id = 1; id <= 600; id += 1) usePresence().show(id)
  await settle()
  expect(subscriptions.map(ids => ids.length)).toEqual([500])
})

test("the people of all tabs are subscribed to together, until a tab is closed", async () => {
  await connect()
  usePresence().show(2)
  fake.live.tell("presence.watch", { tab: "another", ids: [3] })
  await settle()
  expect(new Set(subscriptions.at(-1))).toEqual(new Set([2, 3]))
  fake.live.tell("presence.watch", { tab: "another", ids: [] })
  usePresence().show(4)
  await settle()
  expect(subscriptions.at(-1)).toEqual([2, 4])
})

test("each new connection subscribes and reports again, and a failed subscription is repeated", async () => {
  await connect()
  usePresence().show(2)
  await settle()
  expect(reports()).toEqual(["online"])
  fake.isConnected.value = false
  await nextTick()
  isFailing = true
  await connect()
  isFailing = false
  await settle(MINUTE_MS)
  expect(subscriptions).toEqual([[2], [2]])
  expect(reports()).toEqual(["online"])
})

test("a person without input for ten minutes is away, and online again with the next input", async () => {
  await connect()
  expect(reports()).toEqual(["online"])
  await settle(9 * MINUTE_MS)
  expect(reports()).toEqual([])
  await settle(2 * MINUTE_MS)
  expect(reports()).toEqual(["away"])
  dispatchEvent(new Event("keydown"))
  expect(reports()).toEqual(["online"])
  for (let minute = 0; minute < 20; minute += 1) {
    await settle(MINUTE_MS)
    dispatchEvent(new Event("pointermove"))
  }
  expect(reports()).toEqual([])
})

test("do not disturb is reported at once and lasts over a reload, until the person is online again", async () => {
  await connect()
  reports()
  await usePresence().choose("dnd")
  expect([reports(), usePresence().choice]).toEqual([["dnd"], "dnd"])
  await settle(20 * MINUTE_MS)
  expect(reports()).toEqual([])
  visit.abort()
  setActivePinia(createPinia())
  expect(usePresence().choice).toBe("dnd")
  localStorage.clear()
})

test("a person who appears offline chooses online to be seen again", async () => {
  await connect()
  await usePresence().choose("offline")
  expect([fake.live.world?.me.shows_presence, usePresence().choice]).toEqual([false, "offline"])
  await usePresence().choose("online")
  expect([fake.live.world?.me.shows_presence, usePresence().choice]).toEqual([true, "online"])
})
