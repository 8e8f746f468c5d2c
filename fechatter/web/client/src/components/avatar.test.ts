import { expect, test } from "vitest"
import { hue, initials } from "@/components/avatar"

test.each([
  ["Ada Lovelace", "AL"],
  ["grace brewster murray hopper", "GH"],
  ["Plato", "P"],
  ["王小明", "王"],
  ["山田 太郎", "山"],
  ["👩🏽‍🚀 Mae", "👩🏽‍🚀M"],
  ["  ", "?"],
])("%s shows as %s", (name, shown) => {
  expect(initials(name)).toBe(shown)
})

test("successive ids have very different hues, and each id always has the same hue", () => {
  expect(hue(8)).toBe(hue(8))
  expect(Math.abs(hue(8) - hue(9))).toBeGreaterThan(60)
})
