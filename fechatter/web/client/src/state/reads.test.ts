import { expect, test } from "vitest"
import type { ReadMark } from "@/api/nouns"
import { apply } from "@/state/apply"
import { applyMarks, readUpTo, resumeMarks, worldOf } from "@/state/world"
import { ME, ModelServer } from "@/testing/modelServer"

/** Returns a server with one unread chat that has `count` messages of another person. */
function unreadChat(count: number): ModelServer {
  const server = new ModelServer()
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

test("the read mark with the higher revision wins, then the one with the higher number", () => {
  const server = unreadChat(3)
  const world = worldOf(server.sync(server.seq))
  const once = applyMarks(world, [mark(2, 0, 4)])
  expect(once.chats.get(10)).toMatchObject({ last_read_number: 2, unread_count: 1 })
  expect(applyMarks(once, [mark(1, 0, 4)])).toBe(once)
  expect(applyMarks(once, [{ ...mark(1, 0, 4), chat_id: 99 }])).toBe(once)
  const back = applyMarks(once, [mark(0, 1, 4)])
  expect(back.chats.get(10)).toMatchObject({ last_read_number: 0, read_revision: 1, unread_count: 3 })
  expect(applyMarks(back, [mark(3, 0, 4)])).toBe(back)
})

test("the marks of a resumed stream replace the known ones, also lower ones", () => {
  const server = unreadChat(3)
  const read = applyMarks(worldOf(server.sync(server.seq)), [mark(2, 1, 4)])
  const lost = resumeMarks(read, [mark(0, 0, server.seq), { ...mark(1, 0, 4), chat_id: 99 }])
  expect(lost.chats.get(10)).toMatchObject({ last_read_number: 0, read_revision: 0, unread_count: 3 })
})

test("a deletion that arrives twice, or that a mark already includes, counts once", () => {
  const server = unreadChat(4)
  const start = worldOf(server.sync(server.seq))
  server.delete(10, 3)
  const deletion = server.events.at(-1)!
  const once = apply(start, deletion)
  expect(once.chats.get(10)!.unread_count).toBe(3)
  expect(apply(once, deletion).chats.get(10)!.unread_count).toBe(3)
  // The mark arrives before the event that it includes.
  const early = applyMarks(start, [mark(1, 0, deletion.seq, 1)])
  expect(apply(early, deletion).chats.get(10)!.unread_count).toBe(2)
})

test('an own message after "mark as unread" counts as read, even if the mark arrives late', () => {
  const server = unreadChat(3)
  const start = worldOf(server.sync(server.seq))
  server.unread(10, 0)
  server.send(10, ME)
  const [late] = server.marks
  const sent = apply(start, server.events.at(-1)!)
  const counts = { last_read_number: 4, read_revision: 1, unread_count: 0 }
  expect(applyMarks(sent, [late!]).chats.get(10)).toMatchObject(counts)
  expect(apply(applyMarks(start, [late!]), server.events.at(-1)!).chats.get(10)).toMatchObject(counts)
})

test("a mark that moves on this device shows at once, and the server's mark corrects a guess", () => {
  const server = unreadChat(6)
  server.delete(10, 1)
  const start = worldOf(server.sync(server.seq))
  expect(readUpTo(start, 10, 6).chats.get(10)!.unread_count).toBe(0)
  const guess = readUpTo(start, 10, 3)
  server.read(10, 3)
  expect(applyMarks(guess, server.marks).chats.get(10)).toMatchObject({ last_read_number: 3, unread_count: 3 })
})

test("a chat with many deletions uses little memory, and its count is correct", () => {
  const server = unreadChat(1200)
  let world = worldOf(server.sync(server.seq))
  for (let number = 0; number < 1100; number += 1) server.delete(10, number)
  for (const event of server.events.slice(world.seq)) world = apply(world, event)
  expect(world.chats.get(10)!.unread_count).toBe(100)
  expect(world.readings.get(10)!.later.length).toBeLessThanOrEqual(500)
})
