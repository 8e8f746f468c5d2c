import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { ChosenTransport } from "@/live/choice"
import { SseTransport } from "@/live/sse"
import type { Stream } from "@/live/transport"
import { WebSocketTransport } from "@/live/websocket"
import { browserStorage } from "@/platform/storage"
import { FakeSockets } from "@/testing/sockets"
import { FakeStreams } from "@/testing/stream"

const MINUTE_MS = 60_000

class Missing extends Error {}

let server: FakeStreams
let sockets: FakeSockets
let transport: ChosenTransport
let requests: number
let ticket: () => string

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  server = new FakeStreams()
  sockets = new FakeSockets(server)
  requests = 0
  ticket = () => "t1"
  transport = newTransport()
})

afterEach(() => {
  localStorage.clear()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function newTransport(): ChosenTransport {
  return new ChosenTransport({
    socket: new WebSocketTransport(async () => ticket()),
    sse: new SseTransport(async (headers, signal) => {
      requests += 1
      return server.connect(headers, signal)
    }),
    isMissing: error => error instanceof Missing,
  })
}

/** Opens a stream, and moves the clock until it is open. */
async function open(by = transport): Promise<Stream> {
  const opening = by.open({ cursor: "e.0", seen: "e.1,f.2", signal: new AbortController().signal })
  opening.catch(() => undefined)
  await vi.advanceTimersByTimeAsync(7000)
  return opening
}

/** The number of sockets and of requests for events so far. */
const tries = () => [sockets.tried.length, requests]

test("a socket is preferred; its address contains the ticket, the cursor and the positions", async () => {
  const stream = await open()
  expect((await stream.read())?.map(block => block.event)).toEqual(["hello", "resumed"])
  expect(tries()).toEqual([1, 0])
  const { protocol, pathname, searchParams } = sockets.tried[0]!
  expect([protocol, pathname]).toEqual(["ws:", "/ws"])
  expect(Object.fromEntries(searchParams)).toEqual({ ticket: "t1", last_event_id: "e.0", event_cursor: "e.1,f.2" })
})

test("blocks that arrive one after the other are read together", async () => {
  const stream = await open()
  await stream.read()
  for (let count = 0; count < 5; count += 1) server.send()
  expect((await stream.read())?.map(block => block.id)).toEqual(["e.1", "e.2", "e.3", "e.4", "e.5"])
  server.heartbeat()
  expect(await stream.read()).toEqual([{ id: "e.5", event: null, data: null }])
  server.breakAll()
  expect(await stream.read()).toBeNull()
})

test("commands are sent on a socket only", async () => {
  expect((await open()).send({ type: "typing", chat_id: 7 })).toBe(true)
  expect(sockets.received).toEqual([{ type: "typing", chat_id: 7 }])
  sockets.fate = "refused"
  expect((await open()).send({ type: "typing", chat_id: 8 })).toBe(false)
})

for (const fate of ["refused", "silent"] as const) {
  test(`if sockets are ${fate}, events are requested, until sockets are tried again later`, async () => {
    sockets.fate = fate
    await open()
    expect(tries()).toEqual([1, 1])
    await open()
    await open(newTransport())
    expect(tries()).toEqual([1, 3])
    await vi.advanceTimersByTimeAsync(30 * MINUTE_MS)
    await open()
    expect(tries()).toEqual([2, 4])
  })
}

test("if the server cannot be reached at all, sockets are not blamed", async () => {
  server.isAway = true
  await expect(open()).rejects.toThrow("away")
  server.isAway = false
  await open()
  expect(tries()).toEqual([2, 1])
})

test("without tickets events are requested, and other errors of the ticket are errors of the attempt", async () => {
  ticket = () => {
    throw new Error("busy")
  }
  await expect(open()).rejects.toThrow("busy")
  ticket = () => {
    throw new Missing()
  }
  await open()
  expect(tries()).toEqual([0, 1])
})

test("sockets that break soon, three times in a row, are given up", async () => {
  for (const expected of [
    [1, 0],
    [2, 0],
    [3, 0],
    [3, 1],
  ]) {
    await open()
    expect(tries()).toEqual(expected)
    server.breakAll()
  }
})

test("sockets that the server closes, or that break late, are used again", async () => {
  for (let count = 0; count < 4; count += 1) {
    await open()
    server.close("shutdown")
  }
  for (let count = 0; count < 4; count += 1) {
    await open()
    await vi.advanceTimersByTimeAsync(MINUTE_MS)
    server.breakAll()
  }
  expect(tries()).toEqual([8, 0])
})

test("an attempt that was given up does not continue with another transport", async () => {
  sockets.fate = "silent"
  const abort = new AbortController()
  const opening = transport.open({ cursor: "e.0", seen: null, signal: abort.signal })
  opening.catch(() => undefined)
  await vi.advanceTimersByTimeAsync(1000)
  abort.abort()
  await expect(opening).rejects.toThrow()
  expect(tries()).toEqual([1, 0])
})

test("a time that a wrong clock stored does not block sockets for ever", async () => {
  browserStorage.set("fechatter.socket-blocked-until", String(Date.now() + 1000 * MINUTE_MS))
  await open()
  expect(tries()).toEqual([1, 0])
})
