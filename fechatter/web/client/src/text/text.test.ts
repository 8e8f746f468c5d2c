import fc from "fast-check"
import { expect, test } from "vitest"
import { clean, isBlank, length, split } from "@/text/text"

test("characters are counted as the server counts: by scalar value", () => {
  expect(length("a😀é")).toBe(3)
})

test("a text of only white space is blank, in every script", () => {
  for (const text of ["", " \n\t", "\u00a0\u3000\u2028"]) expect(isBlank(text)).toBe(true)
  expect(isBlank("\u200b")).toBe(false)
})

test("control characters and lone surrogates are not sent", () => {
  expect(clean("a\u001b[0m\r\nb\u0000\tc\ud800")).toBe("a[0m\nb\tc\ufffd")
})

test("the parts of a long text respect the limit and lose only space", () => {
  // fast-check's own "binary" unit takes a second to create.
  const unit = fc.integer({ min: 0, max: 0x10ffff }).map(point => String.fromCodePoint(point))
  const words = fc.array(
    fc.oneof(fc.string({ unit, minLength: 1, maxLength: 30 }), fc.constantFrom("\n", "\n\n", " ", "😀")),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(words, fc.integer({ min: 40, max: 400 }), (list, max) => {
      const text = clean(list.join(" ")).replaceAll("```", "")
      const parts = split(text, max)
      for (const part of parts) expect(length(part)).toBeLessThanOrEqual(max)
      const solid = (value: string) => value.replace(/\s/gu, "")
      expect(solid(parts.join(""))).toBe(solid(text))
    }),
  )
})

test("a code block that is cut is closed and opened again", () => {
  const parts = split("```py\n" + "print(1)\n".repeat(20) + "```", 80)
  expect(parts.length).toBeGreaterThan(1)
  for (const part of parts) expect(part.split("\n").filter(line => line.startsWith("```"))).toHaveLength(2)
  for (const part of parts) expect(part.startsWith("```py\n")).toBe(true)
})
