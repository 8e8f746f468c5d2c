import { expect, test } from "vitest"
import type { Chat, Sync } from "@/api/nouns"
import { type Action, targets } from "@/shell/switcher"
import { worldOf } from "@/state/world"

const person = (id: number, fullname: string, handle: string) => ({ id, fullname, handle, avatar_url: null })
const [ME, ADA, LI] = [person(1, "Me", "me"), person(2, "Ada Lovelace", "ada"), person(3, "李明", "liming")]

function chat(id: number, facts: Partial<Chat>): Chat {
  const times = { created_at: `2026-01-0${id}T00:00:00.000Z`, updated_at: "", archived_at: null }
  const counts = { last_number: 0, last_message: null, last_read_number: 0, read_revision: 0, unread_count: 0 }
  return {
    id,
    chat_type: "public_channel",
    name: null,
    description: "",
    owner_id: 1,
    member_count: 2,
    members: [],
    ...times,
    ...counts,
    starred: false,
    muted: false,
    ...facts,
  }
}

const me: Sync["me"] = { ...ME, kind: "person", role: "member", created_at: "", disabled: false, status: null }
const world = worldOf(
  {
    cursor: "e.1",
    me,
    workspace: { id: 1, slug: "w", name: "W", created_at: "", default_chat_id: null },
    chats: [
      chat(1, { name: "general", unread_count: 2 }),
      chat(2, { name: "design" }),
      chat(3, { name: "old design", archived_at: "2026-01-01" }),
      chat(4, { chat_type: "single", members: [ME, ADA] }),
    ],
  },
  new Map([ME, ADA, LI].map(one => [one.id, one])),
)
const actions: Action[] = [{ label: "New channel", icon: "plus", run: () => undefined }]
const labels = (query: string) => targets(world, actions, query).map(target => target.label)

test("without a query, unread chats come first, then new ones, then actions, and no archived chats", () => {
  expect(labels("")).toEqual(["general", "Ada Lovelace", "design", "New channel"])
})

test("chats, people and actions are found by a few letters, in any script", () => {
  expect(labels("des")).toEqual(["design", "old design"])
  expect(labels("李")).toEqual(["李明"])
  expect(labels("liming")).toEqual(["李明"])
  expect(labels("chan")).toEqual(["New channel"])
  expect(labels("zzz")).toEqual([])
})

test("a person with a direct chat appears once, and the person themselves never", () => {
  expect(targets(world, actions, "ada").map(target => target.kind)).toEqual(["chat"])
  expect(labels("Me").includes("Me")).toBe(false)
})
