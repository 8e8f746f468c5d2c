import { expect, test } from "vitest"
import { endOf, statusOf, statusText } from "@/state/status"

const lunch = { emoji: "🍜", text: "At lunch", until: "2026-03-04T12:00:00.000Z" }
const at = (time: string) => Date.parse(time)

test("a status is shown until it ends, and a status without an end stays", () => {
  expect(statusOf({ status: lunch }, at("2026-03-04T11:59:59Z"))).toBe(lunch)
  expect(statusOf({ status: lunch }, at("2026-03-04T12:00:00Z"))).toBeNull()
  expect(statusOf({ status: { ...lunch, until: null } }, at("2030-01-01T00:00:00Z"))).not.toBeNull()
  expect(statusOf({ status: null }, 0)).toBeNull()
  expect(statusOf({}, 0)).toBeNull()
  expect(statusOf(undefined, 0)).toBeNull()
})

test("the line of a status leaves out a missing part", () => {
  expect(statusText(lunch)).toBe("🍜 At lunch")
  expect(statusText({ emoji: "", text: "Away", until: null })).toBe("Away")
  expect(statusText({ emoji: "🌴", text: "", until: null })).toBe("🌴")
})

test("today ends at midnight here, and this week ends on Sunday", () => {
  const wednesday = new Date(2026, 2, 4, 15, 20)
  expect(endOf("halfHour", wednesday)).toBe(new Date(2026, 2, 4, 15, 50).toISOString())
  expect(endOf("hour", wednesday)).toBe(new Date(2026, 2, 4, 16, 20).toISOString())
  expect(endOf("today", wednesday)).toBe(new Date(2026, 2, 4, 23, 59, 59).toISOString())
  expect(endOf("week", wednesday)).toBe(new Date(2026, 2, 8, 23, 59, 59).toISOString())
  expect(endOf("week", new Date(2026, 2, 8, 1))).toBe(new Date(2026, 2, 8, 23, 59, 59).toISOString())
  expect(endOf("open", wednesday)).toBeNull()
})
