import { expect, test } from "vitest"
import type { Chat, Role, Sync } from "@/api/nouns"
import { steps } from "@/chats/firstSteps"
import { landing } from "@/session/landing"
import { begin } from "@/state/world"

const workspace = { id: 1, slug: "w", name: "W", created_at: "", default_chat_id: 7 }

function world(role: Role, ...chats: Partial<Chat>[]) {
  const me = { id: 1, handle: "ada", fullname: "Ada", role } as Sync["me"]
  const facts = { members: [], archived_at: null, last_number: 0, member_count: 1 }
  return begin({ cursor: "e.1", me, workspace, chats: chats.map(chat => ({ ...facts, ...chat }) as Chat) })
}

const done = (role: Role, hasInvited: boolean, ...chats: Partial<Chat>[]) =>
  Object.fromEntries(steps(world(role, ...chats), hasInvited).map(step => [step.name, step.isDone]))

test("a new workspace is named, and people and a message are still to come", () => {
  expect(done("owner", false, { id: 7 })).toEqual({ name: true, invite: false, send: false })
})

test("an invitation, or somebody who came, and any message end their steps", () => {
  expect(done("owner", true, { id: 7 })).toEqual({ name: true, invite: true, send: false })
  expect(done("admin", false, { id: 7, member_count: 2, last_number: 1 })).toEqual({
    name: true,
    invite: true,
    send: true,
  })
})

test("nobody is asked for what they may not do", () => {
  expect(done("member", false, { id: 7 })).toEqual({ send: false })
  expect(done("guest", false)).toEqual({})
})

test("a newcomer lands in the default channel, a guest and whoever has none at home", () => {
  const user = (role: Role) => ({ role }) as Sync["me"]
  expect(landing({ user: user("member"), workspace })).toEqual({ name: "chat", params: { chatId: 7 } })
  expect(landing({ user: user("guest"), workspace })).toEqual({ name: "home" })
  expect(landing({ user: user("owner"), workspace: { ...workspace, default_chat_id: null } })).toEqual({ name: "home" })
})
