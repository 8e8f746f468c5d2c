import { expect, test } from "vitest"
import { NOBODY, nextEndMs, stillTyping, type Typing, typists, withoutPerson, withStarted } from "@/state/typing"

const ME = 1
const started = (before: Typing, ids: number[], nowMs: number, count = ids.length) =>
  withStarted(before, { user_ids: ids, count, expires_in: 6 }, nowMs)

test("one or two people are named in the order in which they began, and more people are many", () => {
  let typing = started(NOBODY, [3], 0)
  typing = started(typing, [2], 100)
  typing = started(typing, [3], 200)
  expect(typists(typing, ME)).toEqual([3, 2])
  expect(typists(started(typing, [4], 300), ME)).toBe("many")
})

test("the reader is never shown as typing", () => {
  expect(typists(started(NOBODY, [ME, 2], 0), ME)).toEqual([2])
  expect(typists(started(NOBODY, [ME], 0), ME)).toEqual([])
})

test("an entry ends after its time, and each signal of a person extends it", () => {
  let typing = started(NOBODY, [2], 0)
  typing = started(typing, [3], 1000)
  typing = started(typing, [2], 3000)
  expect(nextEndMs(typing)).toBe(7000)
  const later = stillTyping(typing, 7000)!
  expect(typists(later, ME)).toEqual([2])
  expect(nextEndMs(later)).toBe(9000)
  expect(stillTyping(later, 9000)).toBeNull()
})

test("a count without names shows many people, until its own time is over", () => {
  const typing = started(started(NOBODY, [2], 0), [], 1000, 21)
  expect(typists(typing, ME)).toBe("many")
  const later = stillTyping(started(typing, [2], 5000), 7000)!
  expect(typists(later, ME)).toEqual([2])
})

test("a message ends the entry of its author only", () => {
  const typing = started(NOBODY, [2, 3], 0)
  expect(typists(withoutPerson(typing, 2), ME)).toEqual([3])
  expect(withoutPerson(typing, 9)).toBe(typing)
})
