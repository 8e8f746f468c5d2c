import fc from "fast-check"
import { expect, test } from "vitest"
import type { Chat, ChatType } from "@/api/nouns"
import { groupOf, MAX_DIRECT, neighbour, sections, type Sections, singleWith, steady } from "@/state/lists"
import { worldOf } from "@/state/world"

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
  const me = { ...ME, kind: "person", role: "member" as const, created_at: "", disabled: false, status: null }
  const workspace = { id: 1, slug: "w", name: "W", created_at: "", default_chat_id: null }
  return worldOf({ cursor: "e.1", me, workspace, chats })
}

const ids = (chats: Chat[]) => chats.map(one => one.id)

const shownIds = (shown: Sections) =>
  Object.fromEntries(Object.entries(shown).map(([name, chats]: [string, Chat[]]) => [name, ids(chats)]))
const NONE = { unread: [], starred: [], channels: [], direct: [], older: [], archived: [] }
const lastMessage = (id: number) => ({ id }) as Chat["last_message"]

test("channels are sorted by name, direct chats by activity, and starred and archived ones are separate", () => {
  const shown = sections(
    world(
      chat(1, "public_channel", { name: "zebra" }),
      chat(2, "private_channel", { name: "Apple" }),
      chat(3, "single"),
      chat(4, "group", { last_message: lastMessage(9) }),
      chat(5, "public_channel", { name: "old", archived_at: "2026-01-01", starred: true }),
      chat(6, "public_channel", { name: "plans", starred: true }),
    ),
    "en",
  )
  expect(shownIds(shown)).toEqual({ ...NONE, starred: [6], channels: [2, 1], direct: [4, 3], archived: [5] })
})

test("clocks do not decide which chat is newer", () => {
  const late = { id: 9, created_at: "1999-01-01T00:00:00.000Z" } as Chat["last_message"]
  const early = { id: 8, created_at: "2099-01-01T00:00:00.000Z" } as Chat["last_message"]
  const shown = sections(
    world(chat(3, "single", { last_message: early }), chat(4, "group", { last_message: late })),
    "en",
  )
  expect(ids(shown.direct)).toEqual([4, 3])
})

test("among 62 channels and 25 direct chats, unread chats are the first rows", () => {
  const channels = Array.from({ length: 62 }, (_, at) => chat(100 + at, "public_channel", { name: `channel ${at}` }))
  const direct = Array.from({ length: 25 }, (_, at) => chat(200 + at, "group"))
  channels[61] = { ...channels[61]!, unread_count: 1 }
  channels[60] = { ...channels[60]!, unread_count: 5, muted: true }
  direct[0] = { ...direct[0]!, unread_count: 2, starred: true }
  const shown = sections(world(...channels, ...direct), "en")
  expect(ids(shown.unread)).toEqual([200, 161])
  expect(shown.channels).toHaveLength(61)
  expect([ids(shown.direct).slice(0, 2), shown.direct.length, shown.older.length]).toEqual([[224, 223], MAX_DIRECT, 9])
})

test("the open chat is never hidden, and stays in the section from which it was opened", () => {
  const direct = Array.from({ length: 25 }, (_, at) => chat(200 + at, "group"))
  const shown = sections(world(...direct), "en", { openId: 200 })
  expect([ids(shown.direct).at(-1), shown.older.length]).toEqual([200, 9])
  const read = world(chat(1, "public_channel", { name: "general" }), chat(2, "group", { unread_count: 1 }))
  expect(ids(sections(read, "en", { openId: 1, stay: { id: 1, isUnread: true } }).unread)).toEqual([2, 1])
  const arrived = sections(read, "en", { openId: 2, stay: { id: 2, isUnread: false } })
  expect([ids(arrived.unread), ids(arrived.direct)]).toEqual([[], [2]])
})

test("a filter finds chats by the other person's name too, and also older ones", () => {
  const all = world(chat(1, "public_channel", { name: "general" }), chat(3, "single"))
  expect(ids(sections(all, "en", { filter: "love" }).direct)).toEqual([3])
  expect(ids(sections(all, "en", { filter: "love" }).channels)).toEqual([])
  const many = Array.from({ length: 25 }, (_, at) => chat(200 + at, "group"))
  expect(sections(world(...many), "en", { filter: "ada" }).direct).toHaveLength(25)
})

test("while rows are held, reading, sending and starring move none of them", () => {
  const place = fc.record({
    unread_count: fc.nat({ max: 2 }),
    starred: fc.boolean(),
    muted: fc.boolean(),
    at: fc.nat(),
  })
  const some = (places: { unread_count: number; starred: boolean; muted: boolean; at: number }[]) =>
    world(
      ...places.map(({ at, ...facts }, id) =>
        chat(id + 1, id % 2 === 0 ? "group" : "public_channel", { ...facts, last_message: lastMessage(1000 + at) }),
      ),
    )
  const lists = fc.array(place, { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(lists, lists, (one, other) => {
      const before = sections(some(one), "en")
      const now = sections(some(other), "en")
      const held = steady(before, now)
      const known = new Set(other.map((_, id) => id + 1))
      for (const [name, chats] of Object.entries(before) as [keyof Sections, Chat[]][])
        expect(ids(held[name]).slice(0, chats.length)).toEqual(
          ids(chats)
            .filter(id => known.has(id))
            .slice(0, chats.length),
        )
      const all = Object.values(held).flatMap(ids)
      expect(all.toSorted((a, b) => a - b)).toEqual([...known])
      for (const shown of Object.values(held).flat())
        expect(shown).toBe(
          Object.values(now)
            .flat()
            .find(chat => chat.id === shown.id),
        )
    }),
  )
})

test("next and previous continue at the other end, and can skip chats that are read", () => {
  const chats = [chat(1, "group"), chat(2, "group", { unread_count: 3 }), chat(3, "group")]
  expect(neighbour(chats, 3, 1)?.id).toBe(1)
  expect(neighbour(chats, 1, -1)?.id).toBe(3)
  expect(neighbour(chats, undefined, 1)?.id).toBe(1)
  expect(neighbour(chats, undefined, -1)?.id).toBe(3)
  expect(neighbour(chats, 3, 1, true)?.id).toBe(2)
  expect(neighbour(chats, 2, 1, true)).toBeUndefined()
  expect(neighbour([], undefined, 1)).toBeUndefined()
})

test("the direct chat with a person is not a group that contains the person", () => {
  expect(singleWith(world(chat(4, "group"), chat(3, "single")), 2)?.id).toBe(3)
  expect(singleWith(world(chat(4, "group")), 2)).toBeUndefined()
})

test("a direct chat that the other person opened is listed after its first message", () => {
  const all = world(
    chat(1, "single", { owner_id: ADA.id }),
    chat(2, "single", { owner_id: ME.id }),
    chat(3, "single", { owner_id: ADA.id, last_number: 1 }),
  )
  expect(ids(sections(all, "en").direct).sort()).toEqual([2, 3])
})

test("the group of exactly these people is found, in any order", () => {
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
