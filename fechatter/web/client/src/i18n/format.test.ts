import { afterEach, expect, test, vi } from "vitest"
import { setLocale } from "@/i18n"
import { ago, day, list, number, time } from "@/i18n/format"

const now = new Date(2026, 2, 4, 12)

afterEach(() => setLocale("en"))

test("today and yesterday have names, and other days have a date", () => {
  expect(day(new Date(2026, 2, 4, 1), now)).toBe("Today")
  expect(day(new Date(2026, 2, 3, 23), now)).toBe("Yesterday")
  expect(day(new Date(2026, 1, 2), now)).toBe("Monday, February 2")
  expect(day(new Date(2024, 1, 2), now)).toBe("Friday, February 2, 2024")
})

test("an hour before ten has as many digits as in the region", () => {
  vi.stubGlobal("navigator", { languages: ["en-GB"] })
  expect(time(new Date(2026, 2, 4, 1, 5))).toBe("01:05")
  vi.unstubAllGlobals()
})

test("a relative time covers one minute to one week", () => {
  const before = (seconds: number) => new Date(now.getTime() - seconds * 1000)
  expect([ago(before(20), now), ago(before(180), now), ago(before(7_200), now)]).toEqual([
    "just now",
    "3 minutes ago",
    "2 hours ago",
  ])
  expect(ago(before(86_400 * 30), now)).toContain("2026")
})

test("lists and numbers follow the language", async () => {
  expect(list(["Ada", "Grace", "Alan"])).toBe("Ada, Grace, and Alan")
  await setLocale("ja")
  expect(list(["Ada", "Grace"])).toBe("Ada、Grace")
  expect(number(1234567)).toBe("1,234,567")
  expect(day(new Date(2026, 2, 4), now)).toBe("今日")
})
