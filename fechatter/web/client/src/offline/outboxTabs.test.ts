import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Problem, Unreachable } from "@/api/http"
import type { Outbox } from "@/offline/outbox"
import { FakeLocks } from "@/testing/locks"
import { memory, outbox, server, settle, setUp, shown, tearDown } from "@/testing/outbox"

beforeEach(setUp)
afterEach(tearDown)

/** Two tabs; the second one does not send by itself, because the first one has the lock or is first. */
async function twoTabs() {
  const [first, second] = [outbox(), outbox()]
  await first.start()
  await second.start()
  return [first, second] as const
}

/** Withdraws or changes the only message in a tab that knows it. */
async function touch(tab: Outbox, what: "edit" | "discard") {
  const [key] = memory.rows.keys()
  await (what === "edit" ? tab.edit(key!, "b") : tab.discard(key!))
}

describe.each([
  ["edit", ["b"]],
  ["discard", []],
] as const)("a message that another tab changes: %s", (what, expected) => {
  test("while it is being sent", async () => {
    const [first, second] = await twoTabs()
    server.during = () => touch(second, what)
    await first.add(7, "a")
    await settle()
    expect(server.contents).toEqual(expected)
    expect(memory.rows.size).toBe(0)
    expect(shown).toEqual([])
  })

  test("while it is being sent, and the change on the server fails at first", async () => {
    const [first, second] = await twoTabs()
    server.during = () => touch(second, what)
    server.failsChanges = 2
    await first.add(7, "a")
    await settle()
    expect(server.contents).toEqual(expected)
    expect(memory.rows.size).toBe(0)
  })

  test("while it is being sent, and the sending tab ends", async () => {
    const [first, second] = await twoTabs()
    server.during = async () => {
      first.stop()
      vi.stubGlobal("navigator", { locks: new FakeLocks() })
      await touch(second, what)
      // The response never reaches the tab.
      return new Promise<void>(() => undefined)
    }
    await first.add(7, "a")
    await settle()
    expect(server.contents).toEqual(expected)
    expect(memory.rows.size).toBe(0)
  })

  test("before its next attempt, without the tabs' channel", async () => {
    vi.stubGlobal("BroadcastChannel", undefined)
    const [first, second] = await twoTabs()
    server.response = () => new Unreachable("away")
    await first.add(7, "a")
    await vi.advanceTimersByTimeAsync(1)
    await touch(second, what)
    server.response = () => null
    await settle()
    expect(server.contents).toEqual(expected)
    expect(memory.rows.size).toBe(0)
  })
})

test("a message that was withdrawn during a failed attempt is not sent again", async () => {
  const [first, second] = await twoTabs()
  server.response = () => new Unreachable("away")
  server.during = () => touch(second, "discard")
  await first.add(7, "a")
  await settle()
  server.response = () => null
  first.wake()
  second.wake()
  await settle()
  expect(server.contents).toEqual([])
  expect(memory.rows.size).toBe(0)
})

test("a refused content does not refuse the content that another tab wrote meanwhile", async () => {
  const [first, second] = await twoTabs()
  server.response = item => (item.content === "a" ? new Problem(422, { code: "invalid" }) : null)
  server.during = () => touch(second, "edit")
  await first.add(7, "a")
  await settle()
  expect(server.contents).toEqual(["b"])
  expect(memory.rows.size).toBe(0)
})

test("without locks, two tabs store a message once", async () => {
  vi.stubGlobal("navigator", {})
  const [first, second] = await twoTabs()
  server.during = async () => second.start()
  await first.add(7, "a")
  await settle()
  expect(server.contents).toEqual(["a"])
  expect(memory.rows.size).toBe(0)
})
