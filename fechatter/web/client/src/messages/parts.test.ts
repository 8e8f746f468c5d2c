import fc from "fast-check"
import { expect, test } from "vitest"
import { isEmojiOnly, parse, type Part } from "@/messages/parts"

function text(parts: Part[]): string {
  return parts.map(part => ("text" in part ? part.text : "parts" in part ? text(part.parts) : "\n")).join("")
}

function links(parts: Part[]): string[] {
  return parts.flatMap(part => [
    ...(part.kind === "link" ? [part.address] : []),
    ...("parts" in part ? links(part.parts) : []),
  ])
}

test("what people write in chats is understood", () => {
  expect(parse("**a** _b_ ~~c~~ `d`")).toEqual([
    {
      kind: "paragraph",
      parts: [
        { kind: "strong", parts: [{ kind: "text", text: "a" }] },
        { kind: "text", text: " " },
        { kind: "emphasis", parts: [{ kind: "text", text: "b" }] },
        { kind: "text", text: " " },
        { kind: "struck", parts: [{ kind: "text", text: "c" }] },
        { kind: "text", text: " " },
        { kind: "code", text: "d" },
      ],
    },
  ])
  expect(parse("```py\nx = 1\n```")).toEqual([{ kind: "block", language: "py", text: "x = 1" }])
  expect(parse("a\nb")).toEqual([
    { kind: "paragraph", parts: [{ kind: "text", text: "a" }, { kind: "break" }, { kind: "text", text: "b" }] },
  ])
  expect(parse("3. a\n4. b")).toMatchObject([
    { kind: "numbers", start: 3, parts: [{ kind: "item" }, { kind: "item" }] },
  ])
  expect(parse("> q")).toMatchObject([{ kind: "quote" }])
  expect(parse("- a\n- b")).toMatchObject([
    { kind: "bullets", parts: [{ kind: "item", parts: [{ kind: "text", text: "a" }] }, { kind: "item" }] },
  ])
})

test("a quote ends with its line, but not within code", () => {
  expect(parse("> q\na")).toMatchObject([{ kind: "quote" }, { kind: "paragraph", parts: [{ text: "a" }] }])
  expect(parse("> q\n> r")).toMatchObject([
    { kind: "quote", parts: [{ parts: [{ text: "q" }, { kind: "break" }, { text: "r" }] }] },
  ])
  expect(parse("```\n> q\na\n```")).toEqual([{ kind: "block", language: "", text: "> q\na" }])
})

test("addresses become links, dangerous ones stay text", () => {
  expect(links(parse("see https://example.com/a?b=c, and <https://example.org>"))).toEqual([
    "https://example.com/a?b=c",
    "https://example.org",
  ])
  for (const address of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "//example.com",
    "fechatter:x",
    "java\nscript:x",
    "&#106;avascript:x",
  ]) {
    expect(links(parse(`[x](${address}) <${address}>`))).toEqual([])
  }
})

test("markup in a message is text", () => {
  for (const content of [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://example.com/x.png)",
    "<a href='javascript:x'>y</a>",
    "&lt;b&gt;",
  ]) {
    expect(text(parse(content))).toContain(content.replace("![x](https://example.com/x.png)", "!"))
  }
})

test("no message makes it fail or lets an unsafe address through", () => {
  const unit = fc.constantFrom(..."*_`~[]()<>!#-+>|\\ \n\t1.ab:/", "javascript:", "https://x.y", "😀", "\u202e")
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 120 }), content => {
      for (const address of links(parse(content))) expect(address).toMatch(/^(https?:|mailto:)/iu)
    }),
    { numRuns: 500 },
  )
})

test("a few emoji alone are recognised", () => {
  expect(isEmojiOnly("😀👍🏽 👩‍👩‍👧")).toBe(true)
  for (const content of ["😀 a", "1", "", "😀".repeat(7)]) expect(isEmojiOnly(content)).toBe(false)
})

test("a link's words are no address of another place", () => {
  const shown = (content: string) => text(parse(content))
  expect(shown("[https://bank.example](https://evil.example/a)")).toBe("https://evil.example/a")
  expect(shown("[**www.bank.example**/login](https://evil.example)")).toBe("https://evil.example")
  expect(shown("[https://bank.example](https://bank.example/login)")).toBe("https://bank.example")
  expect(shown("[our bank](https://bank.example)")).toBe("our bank")
  expect(shown("https://例え.jp/é")).toBe("https://例え.jp/é")
})

/** Far more than a slow machine needs, and nothing beside 2^n. */
const BOUND_MS = 3_000

test.each([
  "😀\u200d".repeat(1_300) + "😀x",
  "😀".repeat(2_000) + " x",
  "[".repeat(4_000),
  "![[](<".repeat(660),
  "> ".repeat(2_000),
  "- ".repeat(2_000),
  "**_".repeat(1_300),
  "*a **b ".repeat(570),
  "http://a(".repeat(440),
])("no message takes its readers' time: %#", content => {
  const start = performance.now()
  parse(content)
  isEmojiOnly(content)
  expect(performance.now() - start).toBeLessThan(BOUND_MS)
})

test("a message of nothing but brackets is shown as it is, at once", () => {
  const content = "[".repeat(4000)
  expect(parse(content)).toEqual([{ kind: "paragraph", parts: [{ kind: "text", text: content }] }])
})
