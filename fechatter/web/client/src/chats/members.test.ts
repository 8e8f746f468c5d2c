import { createPinia, setActivePinia } from "pinia"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { effectScope, reactive, type EffectScope } from "vue"
import type { Chat, Member } from "@/api/nouns"
import { useMembers } from "@/chats/members"
import { useChats } from "@/stores/chats"
import { usePeople } from "@/stores/people"

const member = (id: number): Member => ({ user_id: id, role: "member", joined_at: "" })
const chat = reactive({ id: 7, member_count: 3, owner_id: 1, members: [] }) as unknown as Chat
let scope: EffectScope

beforeEach(() => {
  vi.useFakeTimers()
  setActivePinia(createPinia())
  chat.member_count = 3
  scope = effectScope()
  vi.spyOn(usePeople(), "ensureWhole").mockReturnValue()
  vi.spyOn(useChats(), "byId").mockImplementation(() => chat)
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

function use(pages: Record<string, { items: Member[]; next: string | null }>) {
  const asked = vi.spyOn(useChats(), "members").mockImplementation(async (_, next) => pages[next ?? ""]!)
  return { asked, ...scope.run(() => useMembers(() => 7))! }
}

const ids = (members: Member[]) => members.map(one => one.user_id)

test("pages load one after the other, and a change reloads as many members as before", async () => {
  const pages = { "": { items: [member(1)], next: "b" }, b: { items: [member(2)], next: "c" } }
  const { members, hasMore, more, asked } = use({ ...pages, c: { items: [member(3)], next: null } })
  await vi.runAllTimersAsync()
  expect(ids(members.value)).toEqual([1])
  await more()
  expect([ids(members.value), hasMore.value]).toEqual([[1, 2], true])
  chat.member_count = 4
  await vi.runAllTimersAsync()
  expect(ids(members.value)).toEqual([1, 2])
  expect(asked.mock.calls.map(([, next]) => next)).toEqual([null, "b", null, "b"])
})

test("a failed load shows its error, and the loaded members stay", async () => {
  const { members, problem, more } = use({ "": { items: [member(1)], next: "lost" } })
  await vi.runAllTimersAsync()
  await more()
  expect(problem.value).not.toBeNull()
  expect(ids(members.value)).toEqual([1])
})
