import { expect, test } from "vitest"
import type { Chat, ChatType } from "@/api/nouns"
import { groupOf, neighbour, sections, singleWith } from "@/chats/lists"
import { begin } from "@/live/world"

const ME = { id: 1, handle: "me", fullname: "Me", avatar_url: null }
const ADA = { id: 2, handle: "ada", fullname: "Ada Lovelace", avatar_url: null }

function chat(id: number, type: ChatType, facts: Partial<Chat> = {}): Chat {
  return {
    id,
    chat_type: type,
    name: null,
    description: "",
    owner_id: 1,
    member_count: 2,
    members: [ME, ADA],
    created_at: `2026-01-0${id}T00:00:00.000Z`,
    updated_at: "",
    archived_at: null,
    last_number: 0,
    last_message: null,
    last_read_number: 0,
    read_revision: 0,
    unread_count: 0,
    starred: false,
    muted: false,
    ...facts,
  }
}

function world(...chats: Chat[]) {
  const me = { ...ME, kind: "person", role: "member" as const, created_at: "", disabled: false }
  const workspace = { id: 1, slug: "w", name: "W", created_at: "", default_chat_id: null }
  return begin({ cursor: "e.1", me, workspace, chats })
}

const ids = (chats: Chat[]) => chats.map(one => one.id)

test("channels stand by name, direct chats by their newest word, archived ones apart", () => {
  const said = { created_at: "2026-02-01T00:00:00.000Z" } as Chat["last_message"]
  const shown = sections(
    world(
      chat(1, "public_channel", { name: "zebra" }),
      chat(2, "private_channel", { name: "Apple" }),
      chat(3, "single"),
      chat(4, "group", { last_message: said }),
      chat(5, "public_channel", { name: "old", archived_at: "2026-01-01" }),
    ),
    "en",
  )
  expect([ids(shown.channels), ids(shown.direct), ids(shown.archived)]).toEqual([[2, 1], [4, 3], [5]])
})

test("a filter leaves what fits, by the other's name too", () => {
  const all = world(chat(1, "public_channel", { name: "general" }), chat(3, "single"))
  expect(ids(sections(all, "en", "love").direct)).toEqual([3])
  expect(ids(sections(all, "en", "love").channels)).toEqual([])
})

test("next and previous go round, also from nowhere, and only to unread ones when asked", () => {
  const chats = [chat(1, "group"), chat(2, "group", { unread_count: 3 }), chat(3, "group")]
  expect(neighbour(chats, 3, 1)?.id).toBe(1)
  expect(neighbour(chats, 1, -1)?.id).toBe(3)
  expect(neighbour(chats, undefined, 1)?.id).toBe(1)
  expect(neighbour(chats, undefined, -1)?.id).toBe(3)
  expect(neighbour(chats, 3, 1, true)?.id).toBe(2)
  expect(neighbour(chats, 2, 1, true)).toBeUndefined()
  expect(neighbour([], undefined, 1)).toBeUndefined()
})

test("the chat with somebody is theirs alone, no group with them", () => {
  expect(singleWith(world(chat(4, "group"), chat(3, "single")), 2)?.id).toBe(3)
  expect(singleWith(world(chat(4, "group")), 2)).toBeUndefined()
})

test("a chat of two that somebody else opened is listed from its first message on", () => {
  const all = world(
    chat(1, "single", { owner_id: ADA.id }),
    chat(2, "single", { owner_id: ME.id }),
    chat(3, "single", { owner_id: ADA.id, last_number: 1 }),
  )
  expect(ids(sections(all, "en").direct).sort()).toEqual([2, 3])
})

test("the group of exactly these people is found, in whatever order they are named", () => {
  const bob = { ...ADA, id: 3, handle: "bob" }
  const eve = { ...ADA, id: 4, handle: "eve" }
  const all = world(
    chat(1, "group", { members: [ME, ADA, bob], member_count: 3 }),
    chat(2, "group", { members: [ME, ADA, bob, eve], member_count: 4 }),
    chat(3, "group", { members: [ME, ADA, eve], member_count: 3, archived_at: "2026-01-01T00:00:00.000Z" }),
  )
  expect(groupOf(all, [3, 2])?.id).toBe(1)
  expect(groupOf(all, [2, 3, 4])?.id).toBe(2)
  expect(groupOf(all, [2, 4])).toBeUndefined()
  expect(groupOf(all, [3, 4])).toBeUndefined()
})
