import { expect, test } from "vitest"
import type { Chat, Role, Sync } from "@/api/nouns"
import { steps } from "@/chats/firstSteps"
import { landing } from "@/session/landing"
import { worldOf } from "@/state/world"

const workspace = { id: 1, slug: "w", name: "W", created_at: "", default_chat_id: 7 }

function world(role: Role, ...chats: Partial<Chat>[]) {
  const me = { id: 1, handle: "ada", fullname: "Ada", role } as Sync["me"]
  const facts = { members: [], archived_at: null, last_number: 0, member_count: 1 }
  return worldOf({ cursor: "e.1", me, workspace, chats: chats.map(chat => ({ ...facts, ...chat }) as Chat) })
}

const done = (role: Role, hasInvited: boolean, ...chats: Partial<Chat>[]) =>
  Object.fromEntries(steps(world(role, ...chats), hasInvited).map(step => [step.name, step.isDone]))

test("in a new workspace, only the step of naming it is done", () => {
  expect(done("owner", false, { id: 7 })).toEqual({ name: true, invite: false, send: false })
})

test("an invitation or a second person ends one step, and any message ends another", () => {
  expect(done("owner", true, { id: 7 })).toEqual({ name: true, invite: true, send: false })
  expect(done("admin", false, { id: 7, member_count: 2, last_number: 1 })).toEqual({
    name: true,
    invite: true,
    send: true,
  })
})

test("people see only steps for which they have the right", () => {
  expect(done("member", false, { id: 7 })).toEqual({ send: false })
  expect(done("guest", false)).toEqual({})
})

test("a new person lands in the default channel; without one, and as a guest, on the home page", () => {
  const user = (role: Role) => ({ role }) as Sync["me"]
  expect(landing({ user: user("member"), workspace })).toEqual({ name: "chat", params: { chatId: 7 } })
  expect(landing({ user: user("guest"), workspace })).toEqual({ name: "home" })
  expect(landing({ user: user("owner"), workspace: { ...workspace, default_chat_id: null } })).toEqual({ name: "home" })
})
