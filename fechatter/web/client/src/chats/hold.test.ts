import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { effectScope } from "vue"
import { STILL_MS, useHold } from "@/chats/hold"

const MOUSE = { pointerType: "mouse" }
const FINGER = { pointerType: "touch" }
const page = new EventTarget()

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal("document", Object.assign(page, { visibilityState: "visible" }))
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test("rows are held as long as the mouse is over the list, however long it rests", () => {
  const { isHeld, moved, left } = effectScope().run(useHold)!
  moved(MOUSE)
  vi.advanceTimersByTime(100 * STILL_MS)
  expect(isHeld.value).toBe(true)
  left(MOUSE)
  expect(isHeld.value).toBe(false)
})

test("a key or a touch holds them for a while, also when the finger is lifted", () => {
  const { isHeld, used, moved, left } = effectScope().run(useHold)!
  for (const touch of [used, () => moved(FINGER)]) {
    touch()
    left(FINGER)
    vi.advanceTimersByTime(STILL_MS - 1)
    touch()
    vi.advanceTimersByTime(STILL_MS - 1)
    expect(isHeld.value).toBe(true)
    vi.advanceTimersByTime(1)
    expect(isHeld.value).toBe(false)
  }
})

test("nothing is held on a page that nobody sees", () => {
  const { isHeld, moved } = effectScope().run(useHold)!
  moved(MOUSE)
  Object.assign(page, { visibilityState: "hidden" })
  page.dispatchEvent(new Event("visibilitychange"))
  expect(isHeld.value).toBe(false)
})
