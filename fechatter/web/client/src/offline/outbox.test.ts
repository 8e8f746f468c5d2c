import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { Problem, Unreachable } from "@/api/http"
import { SignedOut } from "@/api/token"
import { memory, outbox, server, settle, setUp, shown, tearDown } from "@/testing/outbox"

beforeEach(setUp)
afterEach(tearDown)

test("the messages of a chat are sent once and in order", async () => {
  const box = outbox()
  for (const content of ["a", "b", "c"]) await box.add(7, content)
  await settle()
  expect(server.contents).toEqual(["a", "b", "c"])
  expect(shown).toEqual([])
  expect(memory.rows.size).toBe(0)
})

test("messages wait while the server is gone, and are sent in order when it returns", async () => {
  server.response = () => new Unreachable("away")
  const box = outbox()
  for (const content of ["a", "b"]) await box.add(7, content)
  await settle()
  expect(shown.map(item => item.content)).toEqual(["a", "b"])
  server.response = () => null
  box.wake()
  await settle()
  expect(server.contents).toEqual(["a", "b"])
})

test("a message whose response was lost is stored once", async () => {
  server.losesAnswers = 2
  const box = outbox()
  await box.add(7, "a")
  await settle()
  expect(server.contents).toEqual(["a"])
  expect(shown).toEqual([])
})

test("messages of an earlier page are sent by the next one", async () => {
  server.response = () => new Unreachable("away")
  const first = outbox()
  await first.add(7, "a")
  await first.add(8, "b")
  first.stop()
  server.response = () => null
  await outbox().start()
  await settle()
  expect(server.contents.toSorted()).toEqual(["a", "b"])
})

test("a refused message shows its reason, does not block later ones, and can be sent again", async () => {
  server.response = item =>
    item.content === "bad" ? new Problem(422, { code: "invalid", detail: "no", request_id: "r1" }) : null
  const box = outbox()
  await box.add(7, "bad")
  await box.add(7, "good")
  await settle()
  expect(server.contents).toEqual(["good"])
  expect(shown).toMatchObject([{ content: "bad", state: "failed", refusal: { code: "invalid", requestId: "r1" } }])
  server.response = () => null
  await box.retry(shown[0]!.key)
  await settle()
  expect(server.contents).toEqual(["good", "bad"])
})

test("a discarded message is never sent", async () => {
  server.response = () => new Unreachable("away")
  const box = outbox()
  await box.add(7, "a")
  await settle()
  await box.discard(shown[0]!.key)
  server.response = () => null
  box.wake()
  await settle()
  expect(server.contents).toEqual([])
  expect(memory.rows.size).toBe(0)
})

test("the server's Retry-After is respected", async () => {
  const times: number[] = []
  server.response = () => {
    times.push(Date.now())
    return times.length === 1 ? new Problem(429, { code: "too_many_requests" }, null, 20) : null
  }
  await outbox().add(7, "a")
  await settle()
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(20_000)
})

test("if the session has ended, messages stay for the next session", async () => {
  server.response = () => new SignedOut()
  await outbox().add(7, "a")
  await settle()
  expect(memory.rows.size).toBe(1)
  server.response = () => null
  await outbox().start()
  await settle()
  expect(server.contents).toEqual(["a"])
})

test("messages keep their order if the clock is set back, and messages of an earlier client come first", async () => {
  vi.setSystemTime("2026-05-01T12:00:00Z")
  server.response = () => new Unreachable("away")
  const key = "00000000-0000-7000-8000-00000000000"
  for (const place of [2, 1])
    memory.rows.set(`${key}${place}`, {
      key: `${key}${place}`,
      chatId: 7,
      content: `old ${place}`,
      writtenAtMs: Date.now(),
      state: "waiting",
      refusal: null,
    })
  const first = outbox()
  await first.start()
  for (const content of ["a", "b"]) await first.add(7, content)
  first.stop()
  vi.setSystemTime("2026-05-01T11:00:00Z")
  vi.resetModules()
  const { Outbox: Reloaded } = await import("@/offline/outbox")
  const second = outbox(Reloaded)
  await second.start()
  for (const content of ["c", "d"]) await second.add(7, content)
  const words = ["old 1", "old 2", "a", "b", "c", "d"]
  expect(shown.map(item => item.content)).toEqual(words)
  server.response = () => null
  second.wake()
  await settle()
  expect(server.contents).toEqual(words)
})

test("a waiting message is sent with its latest change", async () => {
  server.response = () => new Unreachable("away")
  const box = outbox()
  for (const content of ["a", "b"]) await box.add(7, content)
  await settle()
  await box.edit(shown[0]!.key, "a2")
  await box.edit(shown[1]!.key, "b2")
  server.response = () => null
  box.wake()
  await settle()
  expect(server.contents).toEqual(["a2", "b2"])
})

test("a message that is stored before its change is changed on the server", async () => {
  server.losesAnswers = 1
  server.response = () => (server.stored.size > 0 ? new Unreachable("away") : null)
  const box = outbox()
  await box.add(7, "a")
  await settle()
  expect(server.contents).toEqual(["a"])
  await box.edit(shown[0]!.key, "a2")
  server.response = () => null
  box.wake()
  await settle()
  expect(server.contents).toEqual(["a2"])
  expect(memory.rows.size).toBe(0)
})

test.each(["edit", "discard"] as const)("a message that is being sent can be withdrawn and changed: %s", async what => {
  const box = outbox()
  await box.add(7, "a")
  if (what === "edit") await box.edit(shown[0]!.key, "b")
  else await box.discard(shown[0]!.key)
  await settle()
  expect(server.contents).toEqual(what === "edit" ? ["b"] : [])
  expect(memory.rows.size).toBe(0)
})
