import { expect, test, vi } from "vitest"
import { isEmojiOnly, parse, type Part } from "@/text/parts"

function text(parts: Part[]): string {
  return parts.map(part => ("text" in part ? part.text : "parts" in part ? text(part.parts) : "\n")).join("")
}

/** The limit for the work on a text four times as long, relative to the shorter text. Quadratic work would be 16. */
const MAX_RATIO = 5

/** The limit per character. */
const MAX_STEPS = 20

/** Counts the characters that the parser reads. Unlike a time, the count does not depend on the machine. */
function steps(content: string): number {
  const looks = vi.spyOn(String.prototype, "charCodeAt")
  try {
    parse(content)
    return looks.mock.calls.length
  } finally {
    looks.mockRestore()
  }
}

test.each([
  "😀\u200d",
  "😀x",
  "[",
  "![",
  "![[](<",
  "[a](",
  "[a](https://b)",
  "> ",
  "- ",
  "1. ",
  "> - ",
  "**_",
  "*a **b ",
  "a**b",
  "**注意：**请看",
  "~~a",
  "`a",
  "http://a(",
  "www.a.b(",
  "<a",
  "#\n",
  "> a\nb\n",
  "- ```\n",
  "|a",
  "\\",
])("the work for a message is linear in its length: %s", piece => {
  const [short, long] = [2_000, 8_000].map(length => piece.repeat(length / piece.length))
  expect(isEmojiOnly(`${short} x`)).toBe(false)
  expect(steps(long!) / steps(short!)).toBeLessThan(MAX_RATIO)
  expect(steps(short!) / short!.length).toBeLessThan(MAX_STEPS)
})

test("a table with very short rows does not become hundreds of thousands of cells", () => {
  const columns = 800
  const rows = 400
  const parts = parse("|a".repeat(columns) + "\n" + "|-".repeat(columns) + "\n" + "|\n".repeat(rows))
  const count = (list: Part[]): number =>
    list.reduce((sum, part) => sum + 1 + ("parts" in part ? count(part.parts) : 0), 0)
  expect(count(parts)).toBeLessThan(10_000)
  expect(text(parts).match(/\|/gu)!.length).toBeGreaterThan(rows - 20)
})

test("thousands of brackets stay text, and the lines and code around them keep their structure", () => {
  const content = "[".repeat(4000)
  expect(parse(content)).toEqual([{ kind: "paragraph", parts: [{ kind: "text", text: content }] }])
  const log = "[info] a\n".repeat(210)
  expect(parse("```\n" + log + "```")).toEqual([{ kind: "block", language: "", text: log.trimEnd() }])
  expect(parse(`${log}**b**\n\n[a](https://b.c)`)).toMatchObject([
    { kind: "paragraph", parts: { length: 421 } },
    { kind: "paragraph", parts: [{ kind: "link" }] },
  ])
})

test("very deep nesting stays text, and no text is lost", () => {
  for (const mark of ["> ", "- ", "1. ", "> - ", "*a **b "]) {
    const parts = parse(mark.repeat(200) + "end")
    expect(text(parts)).toContain("end")
    const depth = (list: Part[]): number =>
      Math.max(0, ...list.map(part => ("parts" in part ? 1 + depth(part.parts) : 1)))
    expect(depth(parts)).toBeLessThan(80)
  }
})
