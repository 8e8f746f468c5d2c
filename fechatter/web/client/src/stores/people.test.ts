import { createPinia, setActivePinia } from "pinia"
import { beforeEach, expect, test, vi } from "vitest"
import * as api from "@/api/call"
import type { Sync, User } from "@/api/nouns"
import type { DurableEvent } from "@/state/events"
import { type Follower, useLive } from "@/stores/live"
import { usePeople } from "@/stores/people"

const person = (id: number, role: User["role"], more: Partial<User> = {}) =>
  ({ id, handle: `p${id}`, fullname: `P ${id}`, avatar_url: null, role, disabled: false, ...more }) as User

/** A new person joins while a person with this role is online. Returns the requests and the known e-mail address. */
async function joined(role: User["role"]): Promise<{ asked: string[]; email: string | undefined }> {
  const live = useLive()
  const followers: Follower[] = []
  vi.spyOn(live, "follow").mockImplementation(follower => {
    followers.push(follower)
    return () => undefined
  })
  const response = { body: { items: [person(2, "member", { email: "bo@example.org" })], next: null }, cursor: "e.9" }
  const asked = vi.spyOn(api, "callWhole").mockResolvedValue(response as never)
  live.show({ cursor: "e.1", me: person(1, role), workspace: {}, chats: [] } as unknown as Sync, [person(2, "member")])
  const people = usePeople()
  followers.forEach(each => each.event({ type: "user.joined", data: { user: person(2, "member") } } as DurableEvent))
  await vi.runAllTimersAsync()
  return { asked: asked.mock.calls.map(([, path]) => path), email: people.byId(2)?.email }
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.restoreAllMocks()
  setActivePinia(createPinia())
})

test("an admin sees the e-mail address of a new person without a reload", async () => {
  expect(await joined("admin")).toEqual({ asked: ["/api/users?limit=50&ids=2"], email: "bo@example.org" })
})

test("without the right to see e-mail addresses, the client does not request them", async () => {
  expect(await joined("member")).toEqual({ asked: [], email: undefined })
})
