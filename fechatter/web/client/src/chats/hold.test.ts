import { effectScope } from "vue"
import { afterEach, expect, test, vi } from "vitest"
import { STILL_MS, useHold } from "@/chats/hold"

afterEach(() => vi.useRealTimers())

test("rows are held until the pointer leaves, or rests for a while", () => {
  vi.useFakeTimers()
  const { isHeld, touch, leave } = effectScope().run(useHold)!
  touch()
  expect(isHeld.value).toBe(true)
  leave()
  expect(isHeld.value).toBe(false)
  touch()
  vi.advanceTimersByTime(STILL_MS - 1)
  touch()
  vi.advanceTimersByTime(STILL_MS - 1)
  expect(isHeld.value).toBe(true)
  vi.advanceTimersByTime(1)
  expect(isHeld.value).toBe(false)
})
