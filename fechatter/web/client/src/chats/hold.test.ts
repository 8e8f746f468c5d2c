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

test("rows stay in place while the mouse is over the list, even if it does not move", () => {
  const { isHeld, moved, left } = effectScope().run(useHold)!
  moved(MOUSE)
  vi.advanceTimersByTime(100 * STILL_MS)
  expect(isHeld.value).toBe(true)
  left(MOUSE)
  expect(isHeld.value).toBe(false)
})

test("after a key or a touch, rows stay in place for a while, even after the finger is lifted", () => {
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

test("on a hidden page, rows move at once", () => {
  const { isHeld, moved } = effectScope().run(useHold)!
  moved(MOUSE)
  Object.assign(page, { visibilityState: "hidden" })
  page.dispatchEvent(new Event("visibilitychange"))
  expect(isHeld.value).toBe(false)
})
