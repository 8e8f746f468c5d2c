import fc from "fast-check"
import { expect, test } from "vitest"
import { parse, type Part } from "@/text/parts"
import { length, split } from "@/text/text"

const MAX = 4000
const FENCE = /^[> ]*(?:[-+*]|\d+[.)])?[> ]*(?:`{3,}|~{3,})/u

/** Returns all code of these messages. */
function codeOf(parts: Part[]): string {
  return parts
    .map(part => (part.kind === "block" ? `${part.text}\n` : "parts" in part ? codeOf(part.parts) : ""))
    .join("")
}

test.each([
  ["```" + "a".repeat(3992) + "\n" + "b".repeat(10), 2],
  ["```" + "a".repeat(3991) + "\n" + "b".repeat(200), 2],
  ["```" + "a".repeat(3996) + "\n" + "b".repeat(10), 2],
  ["```" + "a".repeat(5000) + "\n" + "b".repeat(10), 2],
  ["`".repeat(3990) + "\nb\n" + "`".repeat(3990) + "\n", 2],
  ["`".repeat(8000), 2],
  ["~~~py\n" + "x".repeat(3991) + "\n~~~", 2],
  ["> ".repeat(4000), 2],
  ["a".repeat(8000), 2],
  ["a\n\n" + "b".repeat(3999), 2],
  ["😀".repeat(4001), 2],
  ["a" + "\n".repeat(9000) + "b", 2],
  [" ".repeat(9000), 0],
])("a hostile text becomes few messages: %#", (text, count) => {
  const parts = split(text, MAX)
  expect(parts).toHaveLength(count)
  for (const part of parts) expect(length(part)).toBeLessThanOrEqual(MAX)
})

test("divided code is code in each message, with any fence and in any block", () => {
  const code = Array.from({ length: 60 }, (_, line) => `  line ${line} {`).join("\n")
  const nested = code.replaceAll("line 30", "```\nline 30")
  const indented = (by: string, first = by) => `${first}~~~py x\n${code}\n~~~`.split("\n").join(`\n${by}`)
  for (const text of [
    `\`\`\`py\n${code}\n\`\`\``,
    `\`\`\`\`md\n${nested}\n\`\`\`\``,
    `~~~\n${nested}\n~~~~~`,
    `before\n\n\`\`\`\n${code}`,
    indented("> "),
    indented("  ", "- "),
    indented("    ", "10. "),
    `1.  a\n    - b\n\n${indented("      ")}`,
    `- a\n  > b\n  >\n${indented("  > ")}\n  > c`,
  ]) {
    const parts = split(text, 300)
    expect(parts.length).toBeGreaterThan(2)
    expect(codeOf(parts.flatMap(part => parse(part)))).toBe(codeOf(parse(text)))
    for (const part of parts) expect(length(part)).toBeLessThanOrEqual(300)
  }
})

test("cuts are between paragraphs, lines and words if that needs no further message", () => {
  const words = (count: number) => "word ".repeat(count).trimEnd()
  expect(split(`${words(12)}\n\n${words(12)}`, 100)).toEqual([`${words(12)}\n\n`, words(12)])
  expect(split(`${words(12)}\n${words(12)}`, 100)).toEqual([`${words(12)}\n`, words(12)])
  for (const part of split(words(60), 100)) expect(part.trimEnd()).toMatch(/^word.*word$/u)
  expect(split("字".repeat(70) + "。" + "字".repeat(60), 100)[0]).toBe("字".repeat(70) + "。")
  // People see a family as one character.
  const family = "👨‍👩‍👧‍👦"
  for (const part of split(family.repeat(40), 100)) expect(part.replaceAll(family, "")).toBe("")
})

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "`",
        "```",
        "````",
        "~~~",
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "> ",
        "- ",
        "1. ",
        "    ",
        "\t",
        " ",
        "😀",
        "a",
      ),
      fc.constantFrom("\n```\n", "\n```py\n", "\n~~~~ info\n", "\n> ```\n> ", "\n- ```\n  ", "\n      ```\n      "),
      fc.nat(300).map(count => "`".repeat(count)),
      fc.nat(300).map(count => `\n\`\`\`${"i".repeat(count)}\n`),
      fc.nat(300).map(count => "x".repeat(count)),
      fc.nat(80).map(count => "line\n".repeat(count)),
      fc
        .integer({ min: 0, max: 0x10ffff })
        .map(point => String.fromCodePoint(point).replace(/[\ud800-\udfff]/u, "\ufffd")),
    ),
    { maxLength: 40 },
  )
  .map(list => list.join(""))

/** Whether another text contains all characters of a text except spaces, in the same order. */
function holds(whole: string, text: string): boolean {
  const characters = [...text.replace(/\s/gu, "")]
  let found = 0
  for (const character of whole) if (character === characters[found]) found += 1
  return found === characters.length
}

test("every text is split into as few messages as possible, and none of it is lost", () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 40, max: 400 }), (text, max) => {
      const parts = split(text, max)
      const hasFences = /[`~]{3}/u.test(text)
      for (const part of parts) {
        expect(length(part)).toBeLessThanOrEqual(max)
        expect(part).not.toMatch(/\p{Surrogate}/u)
        expect(part.trim()).not.toBe("")
      }
      expect(holds(parts.join(""), text)).toBe(true)
      if (!hasFences) expect(parts.join("").trim()).toBe(text.trim())
      // The lines that close and reopen a block use at most a quarter of a message.
      const min = Math.ceil(length(text) / (hasFences ? max * 0.75 : max))
      expect(parts.length).toBeLessThanOrEqual(min + (hasFences ? longLines(text, max) : 0))
    }),
    { numRuns: 150 },
  )
})

/** Counts the lines that open or close a block. They are never cut, so a message may end early before them. */
function longLines(text: string, max: number): number {
  return text.split(/\r\n?|\n/u).filter(line => FENCE.test(line) && length(line) > max / 8).length
}
