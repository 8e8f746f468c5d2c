import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { SharedConnection } from "@/live/shared"
import { SseTransport } from "@/live/sse"
import { WebSocketTransport } from "@/live/websocket"
import { FakeLocks } from "@/testing/locks"
import { FakeSockets } from "@/testing/sockets"
import { FakeStreams } from "@/testing/stream"

class SignedOut extends Error {}

/** A tab that knows the events up to a number, from a load or from events. */
class Tab {
  known = 0
  received: number[] = []
  loads = 0
  phases: string[] = []
  isSignedOut = false
  told: unknown[] = []
  notes: unknown[] = []
  readonly shared: SharedConnection

  constructor(server: FakeStreams, known: number) {
    this.known = known
    const transport = TRANSPORTS[used]()
    this.shared = new SharedConnection(
      "test",
      {
        open: (cursor, signal) => transport.open({ cursor, seen: null, signal }),
        frame: (name, data) => {
          if (name === "note") this.notes.push(data)
          if (name !== "message.created") return
          const { seq } = data as { seq: number }
          if (seq <= this.known) return
          if (seq !== this.known + 1) throw new Error(`${seq} after ${this.known}`)
          this.known = seq
          this.received.push(seq)
        },
        reload: async () => {
          if (server.isAway) throw new Error("away")
          this.loads += 1
          this.known = server.head
          return server.position(server.head)
        },
        phase: phase => this.phases.push(phase),
        isOver: error => error instanceof SignedOut,
        retryAfterSeconds: () => 0,
        signedOut: () => (this.isSignedOut = true),
        told: (name, data) => this.told.push([name, data]),
      },
      server.position(known),
    )
    this.shared.start()
  }
}

/** A model of the browser's channels between tabs, on the clock of the test. */
class FakeChannel {
  static all = new Set<FakeChannel>()
  onmessage: ((message: { data: unknown }) => void) | null = null

  readonly name: string

  constructor(name: string) {
    this.name = name
    FakeChannel.all.add(this)
  }

  postMessage(data: unknown) {
    for (const other of FakeChannel.all) {
      if (other !== this && other.name === this.name)
        queueMicrotask(() => FakeChannel.all.has(other) && other.onmessage?.({ data: structuredClone(data) }))
    }
  }

  close() {
    FakeChannel.all.delete(this)
  }
}

let server: FakeStreams
let used: keyof typeof TRANSPORTS

const TRANSPORTS = {
  "Server-Sent Events": () => new SseTransport(async (headers, signal) => server.connect(headers, signal)),
  WebSocket: () => new WebSocketTransport(async () => "ticket"),
}

const tabs: Tab[] = []

function tab(known = server.head): Tab {
  const made = new Tab(server, known)
  tabs.push(made)
  return made
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal("navigator", { locks: new FakeLocks() })
  vi.stubGlobal("BroadcastChannel", FakeChannel)
  server = new FakeStreams()
  new FakeSockets(server)
})

afterEach(() => {
  tabs.splice(0).forEach(one => one.shared.stop())
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const settle = (milliseconds = 50) => vi.advanceTimersByTimeAsync(milliseconds)

/** A test on each transport. */
function onBoth(name: string, run: () => Promise<void>): void {
  for (const transport of Object.keys(TRANSPORTS) as (keyof typeof TRANSPORTS)[]) {
    test(`${name} (${transport})`, async () => {
      used = transport
      await run()
    })
  }
}

onBoth("several tabs share one stream, and each gets every event once and in order", async () => {
  const all = [tab(), tab(), tab()]
  await settle()
  for (let count = 0; count < 5; count += 1) server.send()
  await settle()
  expect(server.opened).toBe(1)
  for (const one of all) expect(one.received).toEqual([1, 2, 3, 4, 5])
  for (const one of all) expect(one.phases.at(-1)).toBe("live")
})

onBoth("if the leading tab closes, another tab continues from its position", async () => {
  const [first, second, third] = [tab(), tab(), tab()]
  await settle()
  server.send()
  await settle()
  first.shared.stop()
  server.send()
  await settle()
  server.send()
  await settle()
  expect(server.opened).toBe(2)
  expect(second.received).toEqual([1, 2, 3])
  expect(third.received).toEqual([1, 2, 3])
  expect([second.loads, third.loads]).toEqual([0, 0])
})

onBoth("after an interruption the stream resumes from its cursor, and no event is lost or repeated", async () => {
  const [one, other] = [tab(), tab()]
  await settle()
  server.send()
  await settle()
  server.isAway = true
  server.breakAll()
  await settle(5000)
  expect(one.phases.at(-1)).not.toBe("live")
  expect(other.phases.at(-1)).not.toBe("live")
  server.send()
  server.isAway = false
  await settle(60_000)
  expect(one.received).toEqual([1, 2])
  expect(other.received).toEqual([1, 2])
  expect(one.phases.at(-1)).toBe("live")
})

onBoth("if a position cannot be replayed, every tab reloads", async () => {
  const [one, other] = [tab(), tab()]
  await settle()
  server.isAway = true
  server.breakAll()
  await settle(1000)
  for (let count = 0; count < 9; count += 1) server.send()
  server.floor = 5
  server.isAway = false
  await settle(60_000)
  expect([one.loads, other.loads]).toEqual([1, 1])
  server.send()
  await settle()
  expect([one.known, other.known]).toEqual([10, 10])
})

onBoth("a new tab that is behind the leader reloads, so that it misses no event", async () => {
  tab()
  await settle()
  server.send()
  server.send()
  await settle()
  const late = tab(0)
  await settle()
  server.send()
  await settle()
  expect(late.known).toBe(3)
})

onBoth("a stream without heartbeats is closed and opened again", async () => {
  const one = tab()
  await settle()
  for (let count = 0; count < 5; count += 1) {
    await settle(20_000)
    server.heartbeat()
  }
  await settle()
  expect(server.opened).toBe(1)
  await settle(40_000)
  expect(one.phases).toContain("waiting")
  expect(server.opened).toBeGreaterThan(1)
})

onBoth("without locks, every tab has a stream of its own", async () => {
  vi.stubGlobal("navigator", {})
  const all = [tab(), tab()]
  await settle()
  server.send()
  await settle()
  expect(server.opened).toBe(2)
  for (const one of all) expect(one.known).toBe(1)
})

onBoth("if the log continues in another era, no tab reloads", async () => {
  const all = [tab(), tab()]
  await settle()
  server.send()
  await settle()
  server.era = "f"
  server.send()
  server.send()
  await settle()
  for (const one of all) expect([one.received, one.loads]).toEqual([[1, 2, 3], 0])
  const late = tab()
  await settle()
  server.send()
  await settle()
  expect(late.received).toEqual([4])
})

onBoth("if the log goes back, every tab reloads, although the tab's position is higher than the head", async () => {
  const all = [tab(), tab()]
  await settle()
  for (let count = 0; count < 5; count += 1) server.send()
  await settle()
  server.goBack(2)
  await settle(2_000)
  server.send()
  await settle()
  for (const one of all) expect([one.loads, one.known, one.received.at(-1)]).toEqual([1, 3, 3])
})

onBoth("a message for the leader reaches the leading tab only, and its signals reach all tabs", async () => {
  const [leader, follower] = [tab(), tab()]
  await settle()
  follower.shared.tell("greeting", 1)
  await settle()
  leader.shared.tell("greeting", 2)
  await settle()
  expect([leader.told, follower.told]).toEqual([
    [
      ["greeting", 1],
      ["greeting", 2],
    ],
    [],
  ])
  leader.shared.share("note", 3)
  server.send()
  await settle()
  for (const one of [leader, follower]) expect([one.notes, one.received, one.loads]).toEqual([[3], [1], 0])
})

onBoth("without locks, a message for the leader reaches every tab", async () => {
  vi.stubGlobal("navigator", {})
  const [one, other] = [tab(), tab()]
  await settle()
  one.shared.tell("greeting", 1)
  await settle()
  expect([one.told, other.told]).toEqual([[["greeting", 1]], [["greeting", 1]]])
})
