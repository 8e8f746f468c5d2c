import fc from "fast-check"
import { expect, test } from "vitest"
import type { Chat, Message, User, UserSummary } from "@/api/nouns"
import type { DurableEvent } from "@/live/events"
import { apply, begin, meet, read, takeChat, takePeople, type World } from "@/live/world"

const AT = "2026-01-02T03:04:05.678Z"
const ME = 1

/** A server of one workspace: the truth at each position, and the events that lead there. */
class Server {
  seq = 0
  readonly events: DurableEvent[] = []
  private readonly chats = new Map<number, Chat>()
  private readonly users = new Map<number, User>([1, 2, 3].map(id => [id, user(id)]))
  private readonly history: { chats: Map<number, Chat>; users: Map<number, User> }[] = []

  constructor() {
    this.remember()
  }

  /** Chats name their members as people are called at that position. */
  snapshot(seq: number) {
    const found = this.history[seq]
    if (found === undefined) throw new Error(`nothing at ${seq}`)
    return found
  }

  sync(seq: number) {
    const { chats, users } = this.snapshot(seq)
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
    this.chats.set(id, {
      ...chat,
      last_number: message.number,
      last_message: message,
      last_read_number: readNumber,
      unread_count: message.number - readNumber,
    })
    this.tell({ type: "message.created", chat_id: id, data: { message } })
  }

  edit(id: number) {
    const chat = this.chats.get(id)
    if (!chat?.last_message) return
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
    this.history.push({ chats: new Map(named), users: new Map(this.users) })
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
const act = fc.oneof(
  fc.tuple(fc.constant("join" as const), chatId, personId),
  fc.tuple(fc.constant("leave" as const), chatId, personId),
  fc.tuple(fc.constant("send" as const), chatId, personId),
  fc.tuple(fc.constant("edit" as const), chatId, personId),
  fc.tuple(fc.constant("rename" as const), chatId, personId),
  fc.tuple(fc.constant("remove" as const), chatId, personId),
  fc.tuple(fc.constant("prefer" as const), chatId, personId),
  fc.tuple(fc.constant("renamePerson" as const), personId, personId),
)
/** What a client hears: the next event, an old one again, an answer about a chat or about people, everything anew. */
const heard = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant("next" as const), fc.nat(), chatId) },
  fc.tuple(fc.constant("again" as const), fc.nat(), chatId),
  fc.tuple(fc.constant("chat" as const), fc.nat(), chatId),
  fc.tuple(fc.constant("people" as const), fc.nat(), chatId),
  fc.tuple(fc.constant("sync" as const), fc.nat(), chatId),
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

test("after any interleaving of events and answers the world equals a fresh load", () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 1, maxLength: 40 }), fc.array(heard, { maxLength: 60 }), (acts, hears) => {
      const server = new Server()
      for (const [name, id, other] of acts) server[name](id, other)
      let world = begin(server.sync(0))
      world = takePeople(world, [...server.snapshot(0).users.values()], 0)
      let next = 0
      const advance = () => {
        const event = server.events[next]
        if (event === undefined) return
        next += 1
        world = apply(world, event)
      }
      for (const [what, number, id] of hears) {
        // An answer may be of any position, older or newer than the events heard so far.
        const seq = number % (server.seq + 1)
        const snapshot = server.snapshot(seq)
        if (what === "next") advance()
        else if (what === "again" && next > 0) world = apply(world, server.events[number % next]!)
        else if (what === "chat" && snapshot.chats.has(id)) world = takeChat(world, snapshot.chats.get(id)!, seq)
        else if (what === "people") world = takePeople(world, [...snapshot.users.values()], seq)
        else if (what === "sync" && seq >= next) {
          world = takePeople(begin(server.sync(seq), world.people), [...snapshot.users.values()], seq)
          next = seq
        }
      }
      while (next < server.seq) advance()
      let fresh = begin(server.sync(server.seq))
      fresh = takePeople(fresh, [...server.snapshot(server.seq).users.values()], server.seq)
      expect(shown(world)).toEqual(shown(fresh))
    }),
    { numRuns: 500 },
  )
})

test("a read mark moves forward only, and what is unread follows from it", () => {
  const server = new Server()
  server.join(10, 1)
  for (let count = 0; count < 3; count += 1) server.send(10, 2)
  const world = begin(server.sync(server.seq))
  const once = read(world, [{ chat_id: 10, last_read_number: 2 }])
  expect(once.chats.get(10)).toMatchObject({ last_read_number: 2, unread_count: 1 })
  expect(read(once, [{ chat_id: 10, last_read_number: 1 }])).toBe(once)
  expect(read(once, [{ chat_id: 99, last_read_number: 1 }])).toBe(once)
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
