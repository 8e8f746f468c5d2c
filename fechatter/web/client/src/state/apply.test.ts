import fc from "fast-check"
import { expect, test } from "vitest"
import { apply } from "@/state/apply"
import { applyChat, applyMarks, applyPeople, applySummaries, resumeMarks, type World, worldOf } from "@/state/world"
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
/** The input of a client: the next event, an old event again, a response, a full load, or a read mark. */
const input = fc.oneof(
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

type Input = readonly ["next" | "again" | "chat" | "people" | "sync" | "mark", number, number]

/** Returns the world of a client after these inputs, and after all remaining events and marks. */
function following(server: ModelServer, inputs: readonly Input[]): World {
  let world = worldOf(server.sync(0))
  world = applyPeople(world, [...server.snapshot(0).users.values()], 0)
  let next = 0
  let marks = new Set(server.marks)
  const advance = () => {
    const event = server.events[next]
    if (event === undefined) return
    next += 1
    world = apply(world, event)
  }
  for (const [what, number, id] of inputs) {
    // A response may have any position, older or newer than the applied events.
    const seq = number % (server.seq + 1)
    const snapshot = server.snapshot(seq, number)
    if (what === "next") advance()
    else if (what === "again" && next > 0) world = apply(world, server.events[number % next]!)
    else if (what === "chat" && snapshot.chats.has(id)) world = applyChat(world, snapshot.chats.get(id)!, seq)
    else if (what === "people") world = applyPeople(world, [...snapshot.users.values()], seq)
    else if (what === "mark" && marks.size > 0) {
      const mark = [...marks][number % marks.size]!
      // The mark of an unknown chat arrives again with `resumed`.
      if (world.chats.has(mark.chat_id)) marks.delete(mark)
      world = applyMarks(world, [mark])
    } else if (what === "sync" && seq >= next) {
      world = applyPeople(worldOf(server.sync(seq, number), world.people), [...snapshot.users.values()], seq)
      next = seq
      marks = new Set(server.marks)
    }
  }
  while (next < server.seq) advance()
  return applyMarks(world, [...marks])
}

test("after any order of events, responses and marks, the world equals a fresh load", () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 1, maxLength: 60 }), fc.array(input, { maxLength: 60 }), (acts, inputs) => {
      const server = new ModelServer()
      server.join(10, ME)
      for (const [name, id, other] of acts) server[name](id, other)
      const world = following(server, inputs)
      let fresh = worldOf(server.sync(server.seq))
      fresh = applyPeople(fresh, [...server.snapshot(server.seq).users.values()], server.seq)
      expect(shown(world)).toEqual(shown(fresh))
      expect(shown(resumeMarks(world, server.allMarks()))).toEqual(shown(fresh))
    }),
    { numRuns: 1000 },
  )
})

test("a late response does not restore a chat that the person has left", () => {
  const server = new ModelServer()
  server.join(10, 1)
  const joined = server.snapshot(server.seq).chats.get(10)!
  const world = worldOf(server.sync(server.seq))
  server.leave(10, 1)
  const after = apply(world, server.events.at(-1)!)
  expect(after.chats.has(10)).toBe(false)
  expect(applyChat(after, joined, server.seq - 1).chats.has(10)).toBe(false)
})

test("the fields of a person in a chat do not replace further known fields", () => {
  const world = worldOf(new ModelServer().sync(0))
  const met = applySummaries(applyPeople(world, [user(2)], 0), [summary(user(2))], 0)
  expect(met.people.get(2)).toEqual(user(2))
})
