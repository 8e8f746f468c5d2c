import { expect, test } from "vitest"
import { best, score } from "@/i18n/matching"

const names = ["Design team", "Grünes Büro", "general", "東京オフィス", "설계", "Émile Zola", "random-design"]
const found = (query: string) => best(query, names, name => name)

test("the start of a name ranks before the start of a word, the middle of a word, and single letters", () => {
  const close = ["redesign", "team design", "design", "dx e s i g n"]
  expect(best("design", close, name => name)).toEqual(["design", "team design", "redesign", "dx e s i g n"])
})

test("case, accents, width and kana do not matter", () => {
  expect(found("gruNES buro")).toEqual(["Grünes Büro"])
  expect(found("emile")).toEqual(["Émile Zola"])
  expect(found("おふぃす")).toEqual(["東京オフィス"])
  expect(found("ＧＥＮＥＲＡＬ")).toEqual(["general"])
})

test("a Korean syllable is found while it is being typed", () => {
  expect(found("서")).toEqual(["설계"])
})

test("all words must match, in any order, and an empty query matches everything", () => {
  expect(found("team design")).toEqual(["Design team"])
  expect(found("team zola")).toEqual([])
  expect(found("  ")).toEqual(names)
  expect(score("x", "general")).toBe(0)
})
