import fc from "fast-check"
import { expect, test } from "vitest"
import { apply } from "@/state/apply"
import { begin, meet, read, takeChat, takePeople, type World } from "@/state/world"
import { ME, ModelServer, summary, user } from "@/testing/modelServer"

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
/**
 * What a client hears: the next event, an old one again, an answer about a chat or about people, everything anew, a
 * mark.
 */
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

/**
 * The world of a client that hears these things, then what is left of events and marks: each mark once after the last
 * load.
 */
function following(server: ModelServer, hears: readonly Heard[]): World {
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
      const server = new ModelServer()
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

test("a chat that was left does not come back with a late response", () => {
  const server = new ModelServer()
  server.join(10, 1)
  const joined = server.snapshot(server.seq).chats.get(10)!
  const world = begin(server.sync(server.seq))
  server.leave(10, 1)
  const after = apply(world, server.events.at(-1)!)
  expect(after.chats.has(10)).toBe(false)
  expect(takeChat(after, joined, server.seq - 1).chats.has(10)).toBe(false)
})

test("who is met in passing keeps what was known of them", () => {
  const world = begin(new ModelServer().sync(0))
  const met = meet(takePeople(world, [user(2)], 0), [summary(user(2))], 0)
  expect(met.people.get(2)).toEqual(user(2))
})
