import { expect, test } from "vitest"
import { Arrivals, type Place } from "@/stores/arrival"

/** A chat whose loads end when the test wants it. */
class Chat {
  readonly known = new Set<number>()
  readonly destinations: Place[] = []
  readonly loads: ((isTaken: boolean) => void)[] = []
  readonly arrivals: Arrivals

  constructor(firstUnread: number | null, exists: (number: number) => boolean = () => true) {
    const load = () => new Promise<boolean>(resolve => this.loads.push(resolve))
    this.arrivals = new Arrivals({
      has: (_, number) => this.known.has(number),
      loadEnd: load,
      loadAround: async (_, number) => {
        const isTaken = await load()
        if (isTaken && exists(number)) this.known.add(number)
        return isTaken
      },
      firstUnread: async () => firstUnread,
      goingTo: place => this.destinations.push(place),
    })
  }

  async end(load: number, isTaken: boolean): Promise<void> {
    await settled()
    this.loads[load]!(isTaken)
    await settled()
  }
}

const settled = () => new Promise(resolve => setTimeout(resolve))

test("a chat opens at its first unread message, or at its end", async () => {
  const unread = new Chat(41)
  void unread.arrivals.bring(7, null)
  await unread.end(0, true)
  expect(unread.arrivals.last.value).toEqual({ kind: "unread", number: 41, chatId: 7, isThere: true })
  const read = new Chat(null)
  void read.arrivals.bring(7, null)
  await read.end(0, true)
  expect(read.arrivals.last.value).toEqual({ kind: "end", number: 0, chatId: 7, isThere: true })
})

test("a message counts as missing only after the server's response", async () => {
  const chat = new Chat(null, number => number <= 300)
  chat.known.add(300)
  void chat.arrivals.bring(7, 20)
  await settled()
  expect([chat.arrivals.last.value, chat.arrivals.isUnderWay.value]).toEqual([null, true])
  await chat.end(0, true)
  expect(chat.arrivals.last.value).toMatchObject({ number: 20, isThere: true })
  void chat.arrivals.bring(7, 301)
  await chat.end(1, true)
  expect(chat.arrivals.last.value).toMatchObject({ number: 301, isThere: false })
})

test("the latest destination wins, in any order of the responses", async () => {
  const chat = new Chat(null)
  void chat.arrivals.bring(7, 20)
  await settled()
  void chat.arrivals.bring(7, 40)
  await chat.end(1, true)
  await chat.end(0, true)
  expect(chat.arrivals.last.value).toMatchObject({ number: 40, isThere: true })
})

test("a failed load can be repeated, unless the reader has moved elsewhere", async () => {
  const chat = new Chat(null)
  void chat.arrivals.bring(7, 20)
  await chat.end(0, false)
  expect(chat.arrivals.last.value).toBe(null)
  expect(chat.arrivals.again()).toBe(true)
  await chat.end(1, true)
  expect(chat.arrivals.last.value).toMatchObject({ number: 20, isThere: true })
  expect(chat.arrivals.again()).toBe(false)
  void chat.arrivals.bring(7, 60)
  await settled()
  chat.arrivals.stop()
  await chat.end(2, true)
  expect(chat.arrivals.last.value).toMatchObject({ number: 20 })
})
