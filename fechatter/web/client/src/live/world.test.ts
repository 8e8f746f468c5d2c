import fc from "fast-check"
import { expect, test } from "vitest"
import type { Chat, Message, ReadMark, User, UserSummary } from "@/api/nouns"
import type { DurableEvent } from "@/live/events"
import { apply, begin, meet, read, readUpTo, takeChat, takePeople, type World } from "@/live/world"

const AT = "2026-01-02T03:04:05.678Z"
const ME = 1

/** A server of one workspace: the truth at each position, and the events that lead there. */
class Server {
  seq = 0
  readonly events: DurableEvent[] = []
  /** Each mark that the person's devices were told of, as it was then. */
  marks: ReadMark[] = []
  private readonly chats = new Map<number, Chat>()
  private readonly users = new Map<number, User>([1, 2, 3].map(id => [id, user(id)]))
  private readonly deleted = new Map<number, Set<number>>()
  /** At each position the states it had, one after the other: a read mark moves without an event. */
  private readonly history: { chats: Map<number, Chat>; users: Map<number, User> }[][] = []

  constructor() {
    this.remember()
  }

  /** Chats name their members as people are called at that position. */
  snapshot(seq: number, which = -1) {
    const states = this.history[seq]
    const found = states?.at(which < 0 ? which : which % states.length)
    if (found === undefined) throw new Error(`nothing at ${seq}`)
    return found
  }

  sync(seq: number, which = -1) {
    const { chats, users } = this.snapshot(seq, which)
    return {
      cursor: `e.${seq}`,
      me: users.get(ME)!,
      workspace: { id: 1, slug: "w", name: "W", created_at: AT, default_chat_id: null },
      chats: [...chats.values()],
    }
  }

  join(id: number, memberId: number) {
    const chat = this.chats.get(id) ?? this.everyChat(id)
    if (chat.members.some(member => member.id === memberId)) return
    const members = [...chat.members, summary(this.users.get(memberId)!)]
    const grown = { ...chat, members, member_count: members.length }
    if (memberId === ME || this.isMine(id)) this.chats.set(id, grown)
    this.left.set(id, grown)
    if (!this.isMine(id)) return
    const whole = { ...grown, members: members.map(({ id }) => summary(this.users.get(id)!)) }
    const facts = memberId === ME ? whole : { id, members, member_count: members.length, owner_id: 1, updated_at: AT }
    this.tell({
      type: "member.joined",
      chat_id: id,
      data: {
        member: { user_id: memberId, role: "member", joined_at: AT, user: summary(this.users.get(memberId)!) },
        chat: facts,
      },
    })
  }

  leave(id: number, memberId: number) {
    const chat = this.chats.get(id)
    if (!chat?.members.some(member => member.id === memberId)) return
    const members = chat.members.filter(member => member.id !== memberId)
    const shrunk = { ...chat, members, member_count: members.length }
    this.left.set(id, shrunk)
    if (memberId === ME) this.chats.delete(id)
    else this.chats.set(id, shrunk)
    this.tell({
      type: "member.left",
      chat_id: id,
      data: { member: { user_id: memberId }, chat: { id, members, member_count: members.length } },
    })
  }

  send(id: number, senderId: number) {
    const chat = this.chats.get(id)
    if (chat === undefined) return
    const message: Message = {
      id: this.seq + 100,
      chat_id: id,
      number: chat.last_number + 1,
      sender_id: senderId,
      content: `m${this.seq}`,
      revision: 1,
      created_at: AT,
      edited_at: null,
      deleted_at: null,
    }
    const readNumber = senderId === ME ? message.number : chat.last_read_number
    this.count({ ...chat, last_number: message.number, last_message: message, last_read_number: readNumber })
    this.tell({ type: "message.created", chat_id: id, data: { message } })
  }

  /** A message of some number; content and sender do not matter for what is counted. */
  delete(id: number, place: number) {
    const chat = this.chats.get(id)
    if (!chat?.last_message) return
    const number = 1 + (place % chat.last_number)
    const deleted = this.deletedIn(id)
    if (deleted.has(number)) return
    deleted.add(number)
    const isLast = chat.last_message.number === number
    const message = { ...chat.last_message, content: "", deleted_at: AT }
    this.count(isLast ? { ...chat, last_message: message } : chat)
    const shown = isLast ? message : { ...message, id: -number, number }
    this.tell({ type: "message.deleted", chat_id: id, data: { message: shown } })
  }

  /** Another device reads on. */
  read(id: number, place: number) {
    const chat = this.chats.get(id)
    const number = chat === undefined ? 0 : place % (chat.last_number + 1)
    if (chat === undefined || number <= chat.last_read_number) return
    this.mark({ ...chat, last_read_number: number })
  }

  unread(id: number, place: number) {
    const chat = this.chats.get(id)
    if (chat === undefined || chat.last_number === 0) return
    this.mark({ ...chat, last_read_number: place % chat.last_number, read_revision: chat.read_revision + 1 })
  }

  /** What `resumed` tells in the end. */
  allMarks(): ReadMark[] {
    return [...this.chats.values()].map(chat => this.markOf(chat))
  }

  private mark(chat: Chat) {
    this.count(chat)
    this.marks.push(this.markOf(chat))
    this.remember()
  }

  private markOf({ id, last_read_number, read_revision }: Chat): ReadMark {
    const above = [...this.deletedIn(id)].filter(number => number > last_read_number).length
    return { chat_id: id, last_read_number, revision: read_revision, deleted_above: above, seq: this.seq }
  }

  private count(chat: Chat) {
    const above = [...this.deletedIn(chat.id)].filter(number => number > chat.last_read_number).length
    this.chats.set(chat.id, { ...chat, unread_count: chat.last_number - chat.last_read_number - above })
  }

  private deletedIn(id: number): Set<number> {
    const known = this.deleted.get(id) ?? new Set<number>()
    this.deleted.set(id, known)
    return known
  }

  edit(id: number) {
    const chat = this.chats.get(id)
    if (!chat?.last_message || chat.last_message.deleted_at !== null) return
    const message = {
      ...chat.last_message,
      content: `e${this.seq}`,
      revision: chat.last_message.revision + 1,
      edited_at: AT,
    }
    this.chats.set(id, { ...chat, last_message: message })
    this.tell({ type: "message.edited", chat_id: id, data: { message } })
  }

  rename(id: number) {
    const chat = this.chats.get(id)
    if (chat === undefined) return
    this.chats.set(id, { ...chat, name: `n${this.seq}` })
    this.tell({ type: "chat.updated", chat_id: id, data: { chat: { id, name: `n${this.seq}` } } })
  }

  remove(id: number) {
    if (!this.chats.delete(id)) return
    this.left.delete(id)
    this.deleted.delete(id)
    this.marks = this.marks.filter(mark => mark.chat_id !== id)
    this.tell({ type: "chat.deleted", chat_id: id, data: { chat: { id } } })
  }

  /** By oneself, on another device. */
  prefer(id: number, memberId: number) {
    const chat = this.chats.get(id)
    if (chat === undefined) return
    const wanted = { starred: memberId === ME, muted: memberId === 2 }
    this.chats.set(id, { ...chat, ...wanted })
    const data = { preferences: { chat_id: id, ...wanted } }
    this.tell({ type: "preferences.updated", chat_id: id, data })
  }

  renamePerson(id: number) {
    const changed = { ...this.users.get(id)!, fullname: `p${this.seq}` }
    this.users.set(id, changed)
    this.tell({ type: "user.updated", chat_id: null, data: { user: changed } })
  }

  private readonly left = new Map<number, Chat>()

  private everyChat(id: number): Chat {
    return (
      this.left.get(id) ?? {
        id,
        chat_type: "public_channel",
        name: `c${id}`,
        description: "",
        owner_id: 1,
        member_count: 0,
        members: [],
        created_at: AT,
        updated_at: AT,
        archived_at: null,
        last_number: 0,
        last_message: null,
        last_read_number: 0,
        read_revision: 0,
        unread_count: 0,
        starred: false,
        muted: false,
      }
    )
  }

  private isMine(id: number) {
    return this.chats.has(id)
  }

  private tell(event: Omit<DurableEvent, "seq" | "workspace_id" | "at">) {
    this.seq += 1
    this.events.push({ ...event, seq: this.seq, workspace_id: 1, at: AT } as DurableEvent)
    this.remember()
  }

  private remember() {
    const named = [...this.chats].map(
      ([id, chat]) => [id, { ...chat, members: chat.members.map(({ id }) => summary(this.users.get(id)!)) }] as const,
    )
    const states = (this.history[this.seq] ??= [])
    states.push({ chats: new Map(named), users: new Map(this.users) })
  }
}

function user(id: number): User {
  return {
    id,
    handle: `h${id}`,
    fullname: `f${id}`,
    avatar_url: null,
    kind: "person",
    role: "member",
    created_at: AT,
    disabled: false,
  }
}

function summary({ id, handle, fullname, avatar_url }: UserSummary): UserSummary {
  return { id, handle, fullname, avatar_url }
}

const chatId = fc.integer({ min: 10, max: 12 })
const personId = fc.integer({ min: 1, max: 3 })
const place = fc.nat(30)
const act = fc.oneof(
  fc.tuple(fc.constant("join" as const), chatId, personId),
  fc.tuple(fc.constant("leave" as const), chatId, personId),
  { weight: 4, arbitrary: fc.tuple(fc.constant("send" as const), chatId, personId) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("delete" as const), chatId, place) },
  fc.tuple(fc.constant("read" as const), chatId, place),
  fc.tuple(fc.constant("unread" as const), chatId, place),
  fc.tuple(fc.constant("edit" as const), chatId, personId),
  fc.tuple(fc.constant("rename" as const), chatId, personId),
  fc.tuple(fc.constant("remove" as const), chatId, personId),
  fc.tuple(fc.constant("prefer" as const), chatId, personId),
  fc.tuple(fc.constant("renamePerson" as const), personId, personId),
)
/** What a client hears: the next event, an old one again, an answer about a chat or about people, everything anew, a mark. */
const heard = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant("next" as const), fc.nat(), chatId) },
  fc.tuple(fc.constant("again" as const), fc.nat(), chatId),
  fc.tuple(fc.constant("chat" as const), fc.nat(), chatId),
  fc.tuple(fc.constant("people" as const), fc.nat(), chatId),
  fc.tuple(fc.constant("sync" as const), fc.nat(), chatId),
  { weight: 2, arbitrary: fc.tuple(fc.constant("mark" as const), fc.nat(), chatId) },
)
function shown(world: World) {
  return {
    chats: [...world.chats.values()]
      .sort((one, other) => one.id - other.id)
      .map(chat => ({ ...chat, members: chat.members.map(({ id }) => id) })),
    people: [1, 2, 3].map(id => world.people.get(id)),
    me: world.me,
  }
}

type Heard = readonly ["next" | "again" | "chat" | "people" | "sync" | "mark", number, number]

/** The world of a client that hears these things, then what is left of events and marks: each mark once after the last load. */
function following(server: Server, hears: readonly Heard[]): World {
  let world = begin(server.sync(0))
  world = takePeople(world, [...server.snapshot(0).users.values()], 0)
  let next = 0
  let marks = new Set(server.marks)
  const advance = () => {
    const event = server.events[next]
    if (event === undefined) return
    next += 1
    world = apply(world, event)
  }
  for (const [what, number, id] of hears) {
    // An answer may be of any position, older or newer than the events heard so far.
    const seq = number % (server.seq + 1)
    const snapshot = server.snapshot(seq, number)
    if (what === "next") advance()
    else if (what === "again" && next > 0) world = apply(world, server.events[number % next]!)
    else if (what === "chat" && snapshot.chats.has(id)) world = takeChat(world, snapshot.chats.get(id)!, seq)
    else if (what === "people") world = takePeople(world, [...snapshot.users.values()], seq)
    else if (what === "mark" && marks.size > 0) {
      const mark = [...marks][number % marks.size]!
      // A mark of a chat that is not known yet comes again with `resumed`.
      if (world.chats.has(mark.chat_id)) marks.delete(mark)
      world = read(world, [mark])
    } else if (what === "sync" && seq >= next) {
      world = takePeople(begin(server.sync(seq, number), world.people), [...snapshot.users.values()], seq)
      next = seq
      marks = new Set(server.marks)
    }
  }
  while (next < server.seq) advance()
  return read(world, [...marks])
}

test("after any interleaving of events, answers and marks the world equals a fresh load", () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 1, maxLength: 60 }), fc.array(heard, { maxLength: 60 }), (acts, hears) => {
      const server = new Server()
      server.join(10, ME)
      for (const [name, id, other] of acts) server[name](id, other)
      const world = following(server, hears)
      let fresh = begin(server.sync(server.seq))
      fresh = takePeople(fresh, [...server.snapshot(server.seq).users.values()], server.seq)
      expect(shown(world)).toEqual(shown(fresh))
      expect(shown(read(world, server.allMarks()))).toEqual(shown(fresh))
    }),
    { numRuns: 1000 },
  )
})

/** A chat of which the person has read nothing, with so many messages of somebody else. */
function unreadChat(count: number): Server {
  const server = new Server()
  server.join(10, 1)
  for (let sent = 0; sent < count; sent += 1) server.send(10, 2)
  return server
}

const mark = (number: number, revision: number, seq: number, deleted_above = 0): ReadMark => ({
  chat_id: 10,
  last_read_number: number,
  revision,
  deleted_above,
  seq,
})

test("of two read marks the higher revision wins, then the higher number", () => {
  const server = unreadChat(3)
  const world = begin(server.sync(server.seq))
  const once = read(world, [mark(2, 0, 4)])
  expect(once.chats.get(10)).toMatchObject({ last_read_number: 2, unread_count: 1 })
  expect(read(once, [mark(1, 0, 4)])).toBe(once)
  expect(read(once, [{ ...mark(1, 0, 4), chat_id: 99 }])).toBe(once)
  const back = read(once, [mark(0, 1, 4)])
  expect(back.chats.get(10)).toMatchObject({ last_read_number: 0, read_revision: 1, unread_count: 3 })
  expect(read(back, [mark(3, 0, 4)])).toBe(back)
})

test("a deletion that is heard twice, or that a mark included already, counts once", () => {
  const server = unreadChat(4)
  const start = begin(server.sync(server.seq))
  server.delete(10, 3)
  const deletion = server.events.at(-1)!
  const once = apply(start, deletion)
  expect(once.chats.get(10)!.unread_count).toBe(3)
  expect(apply(once, deletion).chats.get(10)!.unread_count).toBe(3)
  // The mark comes before the event that it includes.
  const early = read(start, [mark(1, 0, deletion.seq, 1)])
  expect(apply(early, deletion).chats.get(10)!.unread_count).toBe(2)
})

test("one's own message, sent after messages were marked as unread, counts whenever the mark arrives", () => {
  const server = unreadChat(3)
  const start = begin(server.sync(server.seq))
  server.unread(10, 0)
  server.send(10, ME)
  const [late] = server.marks
  const sent = apply(start, server.events.at(-1)!)
  const counts = { last_read_number: 4, read_revision: 1, unread_count: 0 }
  expect(read(sent, [late!]).chats.get(10)).toMatchObject(counts)
  expect(apply(read(start, [late!]), server.events.at(-1)!).chats.get(10)).toMatchObject(counts)
})

test("a mark that is moved here shows at once, and a guess is put right by the server's", () => {
  const server = unreadChat(6)
  server.delete(10, 1)
  const start = begin(server.sync(server.seq))
  expect(readUpTo(start, 10, 6).chats.get(10)!.unread_count).toBe(0)
  const guess = readUpTo(start, 10, 3)
  server.read(10, 3)
  expect(read(guess, server.marks).chats.get(10)).toMatchObject({ last_read_number: 3, unread_count: 3 })
})

test("a chat that is being emptied stays small, and its count stays right", () => {
  const server = unreadChat(1200)
  let world = begin(server.sync(server.seq))
  for (let number = 0; number < 1100; number += 1) server.delete(10, number)
  for (const event of server.events.slice(world.seq)) world = apply(world, event)
  expect(world.chats.get(10)!.unread_count).toBe(100)
  expect(world.readings.get(10)!.later.length).toBeLessThanOrEqual(500)
})

test("a chat that was left does not come back with a late answer", () => {
  const server = new Server()
  server.join(10, 1)
  const joined = server.snapshot(server.seq).chats.get(10)!
  const world = begin(server.sync(server.seq))
  server.leave(10, 1)
  const after = apply(world, server.events.at(-1)!)
  expect(after.chats.has(10)).toBe(false)
  expect(takeChat(after, joined, server.seq - 1).chats.has(10)).toBe(false)
})

test("who is met in passing keeps what was known of them", () => {
  const world = begin(new Server().sync(0))
  const met = meet(takePeople(world, [user(2)], 0), [summary(user(2))], 0)
  expect(met.people.get(2)).toEqual(user(2))
})
