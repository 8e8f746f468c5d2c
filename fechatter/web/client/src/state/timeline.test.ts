import fc from "fast-check"
import { expect, test } from "vitest"
import type { Message, MessagePage } from "@/api/nouns"
import { empty, hasHole, MAX, newer, newestOnly, older, start, type Timeline, withMessage } from "@/state/timeline"

const PAGE = 50

function message(number: number, revision = 1, deleted = false): Message {
  const at = "2026-01-02T03:04:05.678Z"
  return {
    id: 1000 + number,
    chat_id: 7,
    number,
    sender_id: 1,
    content: deleted ? "" : `m${number}r${revision}`,
    revision,
    created_at: at,
    edited_at: revision > 1 ? at : null,
    deleted_at: deleted ? at : null,
  }
}

/** A model of a chat on the server, with its pages. */
class Chat {
  readonly messages: Message[] = []

  constructor(count: number) {
    for (let number = 1; number <= count; number += 1) this.messages.push(message(number))
  }

  send() {
    const sent = message(this.messages.length + 1)
    this.messages.push(sent)
    return sent
  }

  change(number: number, deleted: boolean) {
    const known = this.messages[number - 1]
    if (known === undefined || known.deleted_at !== null) return known
    return (this.messages[number - 1] = message(number, known.revision + 1, deleted))
  }

  page(from: number, to: number): MessagePage {
    const [first, last] = [Math.max(1, from), Math.min(to, this.messages.length)]
    return {
      items: this.messages.slice(first - 1, last).toReversed(),
      has_older: first > 1,
      has_newer: last < this.messages.length,
    }
  }

  newest() {
    return this.page(this.messages.length - PAGE + 1, this.messages.length)
  }
}

function numbers(timeline: Timeline) {
  return timeline.items.map(item => item.number)
}

test("after any scrolling and any events, the run has no gap, is not too long and equals the server's state", () => {
  const step = fc.tuple(
    fc.constantFrom("older", "newer", "newest", "around", "send", "edit", "delete", "again", "rest"),
    fc.nat(),
    fc.boolean(),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 700 }), fc.array(step, { maxLength: 60 }), (count, steps) => {
      const chat = new Chat(count)
      let timeline = start(empty(7), chat.newest())
      for (const [what, number, isAtEnd] of steps) {
        const [first, last] = [timeline.items[0]?.number ?? 0, timeline.items.at(-1)?.number ?? 0]
        const target = 1 + (number % Math.max(1, chat.messages.length))
        if (what === "older" && timeline.hasOlder) timeline = older(timeline, chat.page(first - PAGE, first - 1))
        else if (what === "newer" && timeline.hasNewer) timeline = newer(timeline, chat.page(last + 1, last + PAGE))
        else if (what === "newest") timeline = start(timeline, chat.newest())
        else if (what === "around") timeline = start(empty(7), chat.page(target - 25, target + 24))
        else if (what === "send") timeline = withMessage(timeline, chat.send(), isAtEnd)
        else if (what === "rest") timeline = newestOnly(timeline, PAGE)
        else if (what === "again" && chat.messages[target - 1])
          timeline = withMessage(timeline, chat.messages[target - 1]!, isAtEnd)
        else if (what === "edit" || what === "delete") {
          const changed = chat.change(target, what === "delete")
          if (changed) timeline = withMessage(timeline, changed, isAtEnd)
        }
        if (!timeline.isLoaded) timeline = start(timeline, chat.newest())
        const shown = numbers(timeline)
        expect(hasHole(timeline)).toBe(false)
        expect(shown.length).toBeLessThanOrEqual(MAX)
        expect(timeline.items).toEqual(chat.messages.slice((shown[0] ?? 1) - 1, shown.at(-1) ?? 0))
        expect(timeline.hasOlder).toBe((shown[0] ?? 1) > 1)
        expect(timeline.hasNewer).toBe((shown.at(-1) ?? 0) < chat.messages.length)
      }
    }),
    { numRuns: 300 },
  )
})

test("messages that arrive before the first page are shown with it", () => {
  const chat = new Chat(3)
  const page = chat.newest()
  const fourth = chat.send()
  const timeline = start(withMessage(empty(7), fourth), page)
  expect(numbers(timeline)).toEqual([1, 2, 3, 4])
})

test("a response before the events of earlier messages leaves a gap until they arrive", () => {
  const chat = new Chat(2)
  const timeline = start(empty(7), chat.newest())
  const [third, fourth] = [chat.send(), chat.send()]
  const early = withMessage(timeline, fourth)
  expect(hasHole(early)).toBe(true)
  expect(hasHole(withMessage(early, third))).toBe(false)
})

test("an older version never replaces a message", () => {
  const chat = new Chat(2)
  const timeline = start(empty(7), chat.newest())
  const edited = chat.change(2, false)!
  const deleted = chat.change(2, true)!
  expect(withMessage(withMessage(timeline, edited), message(2)).items[1]).toEqual(edited)
  expect(withMessage(withMessage(timeline, deleted), edited).items[1]).toEqual(deleted)
})

test("a reader far from the end keeps their place while new messages arrive", () => {
  const chat = new Chat(MAX)
  let timeline = start(empty(7), chat.page(1, MAX))
  timeline = withMessage(timeline, chat.send(), false)
  expect(numbers(timeline)[0]).toBe(1)
  expect(timeline.hasNewer).toBe(true)
})
