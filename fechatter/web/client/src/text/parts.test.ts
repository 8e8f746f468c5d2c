import fc from "fast-check"
import { expect, test } from "vitest"
import { isEmojiOnly, parse, type Part } from "@/text/parts"

function text(parts: Part[]): string {
  return parts.map(part => ("text" in part ? part.text : "parts" in part ? text(part.parts) : "\n")).join("")
}

function links(parts: Part[]): string[] {
  return parts.flatMap(part => [
    ...(part.kind === "link" ? [part.address] : []),
    ...("parts" in part ? links(part.parts) : []),
  ])
}

test("the usual Markdown is understood", () => {
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

test("a quote ends with its line, except within code", () => {
  expect(parse("> q\na")).toMatchObject([{ kind: "quote" }, { kind: "paragraph", parts: [{ text: "a" }] }])
  expect(parse("> q\n> r")).toMatchObject([
    { kind: "quote", parts: [{ parts: [{ text: "q" }, { kind: "break" }, { text: "r" }] }] },
  ])
  expect(parse("```\n> q\na\n```")).toEqual([{ kind: "block", language: "", text: "> q\na" }])
})

test("addresses become links, but dangerous ones stay text", () => {
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

test("HTML in a message stays text", () => {
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

test("no message breaks the parser or creates an unsafe link", () => {
  const unit = fc.constantFrom(..."*_`~[]()<>!#-+>|\\ \n\t1.ab:/", "javascript:", "https://x.y", "😀", "\u202e")
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 120 }), content => {
      for (const address of links(parse(content))) expect(address).toMatch(/^(https?:|mailto:)/iu)
    }),
    { numRuns: 500 },
  )
})

test("a message of a few emoji is recognised", () => {
  expect(isEmojiOnly("😀👍🏽 👩‍👩‍👧")).toBe(true)
  for (const content of ["😀 a", "1", "", "😀".repeat(7)]) expect(isEmojiOnly(content)).toBe(false)
})

test("the text of a link is never another address", () => {
  const shown = (content: string) => text(parse(content))
  expect(shown("[https://bank.example](https://evil.example/a)")).toBe("https://evil.example/a")
  expect(shown("[**www.bank.example**/login](https://evil.example)")).toBe("https://evil.example")
  expect(shown("[https://bank.example](https://bank.example/login)")).toBe("https://bank.example")
  expect(shown("[our bank](https://bank.example)")).toBe("our bank")
  expect(shown("https://例え.jp/é")).toBe("https://例え.jp/é")
})

test.each([
  ..."#,##,# #,-,+,*,1.,>,> >,> #,- #,```,~~~,||\n|-|,- [ ],` `,[](x),&#8203;,<!-- a -->,<b></b>,[a]: b".split(","),
  "```py\n```",
  "[a]: https://b.c",
])("content that would be invisible is shown as written: %s", content => {
  const inline = text(parse(content)).replace(/\s/gu, "")
  // A quote, an item and the end of a heading are drawn, not written as text.
  expect(content.replace(/\s/gu, "").endsWith(inline) || content.startsWith("# #")).toBe(true)
  expect(inline).not.toBe("")
})

test("an empty block among others is shown as written", () => {
  expect(text(parse("a\n#\nb"))).toBe("a#b")
  expect(text(parse("a\n\n>\n\nb"))).toBe("a>b")
})

test("a message of invisible characters shows their names", () => {
  expect(text(parse("\u200b"))).toBe("U+200B")
  expect(text(parse("\u3164".repeat(20)))).toBe(`${"U+3164 ".repeat(8)}…`)
})

test("a fence ends with the same character and length, also in lists and quotes", () => {
  expect(parse("````\n```py\nx\n```\n````")).toEqual([{ kind: "block", language: "", text: "```py\nx\n```" }])
  expect(parse("~~~\n```\n~~~")).toEqual([{ kind: "block", language: "", text: "```" }])
  expect(parse("- a\n  ```\n  x\n    y\n  ```")).toMatchObject([
    { kind: "bullets", parts: [{ parts: [{ text: "a" }, { kind: "block", text: "x\n  y" }] }] },
  ])
  expect(parse("> ```\n> x\na")).toMatchObject([
    { kind: "quote", parts: [{ kind: "block", text: "x" }] },
    { parts: [{ text: "a" }] },
  ])
})

test("pasted lines keep their indentation and their breaks", () => {
  const traceback = 'Traceback:\n  File "<stdin>", line 1\n    1 / 0\n    ~~^~~\n\tZeroDivisionError'
  const lines = (parts: Part[]): string =>
    parts
      .map(part =>
        part.kind === "break" ? "\n" : "text" in part ? part.text : "parts" in part ? lines(part.parts) : "",
      )
      .join("")
  expect(lines(parse(traceback))).toBe(traceback)
  expect(lines(parse("  a\n    b\n  c"))).toBe("  a\n    b\n  c")
  expect(parse("    a\n      b")).toEqual([{ kind: "block", language: "", text: "a\n  b" }])
  expect(parse("`a\n  b`")).toMatchObject([{ parts: [{ kind: "code", text: "a\n  b" }] }])
  expect(lines(parse("a  \nb\\\nc"))).toBe("a\nb\nc")
})

test.each([
  ["**注意：**请看", "注意："],
  ["请看**「注意」**吧", "「注意」"],
  ["日本語**（強調）**です", "（強調）"],
  ["**강조(强調)**는", "강조(强調)"],
  ["**“重要”**的事", "“重要”"],
])("emphasis needs no spaces in Chinese, Japanese and Korean: %s", (content, bold) => {
  const paragraph = parse(content)[0] as Extract<Part, { parts: Part[] }>
  expect(paragraph.parts.find(part => part.kind === "strong")).toEqual({
    kind: "strong",
    parts: [{ kind: "text", text: bold }],
  })
  expect(text([paragraph])).toBe(content.replaceAll("*", ""))
})

test("emphasis in other scripts follows CommonMark", () => {
  expect(text(parse("2*3*4 a_b_c ** a ** `**`"))).toBe("234 a_b_c ** a ** **")
})

test("tables, tasks, rules and addresses with www. are understood", () => {
  expect(parse("|a|b|\n|:-|-:|\n|1|**2**|")).toEqual([
    {
      kind: "table",
      parts: [
        { kind: "head", parts: [row("headCell", [{ kind: "text", text: "a" }], [{ kind: "text", text: "b" }])] },
        {
          kind: "body",
          parts: [
            row("cell", [{ kind: "text", text: "1" }], [{ kind: "strong", parts: [{ kind: "text", text: "2" }] }]),
          ],
        },
      ],
    },
  ])
  expect(parse("- [x] a\n- [ ] b\n- c")).toMatchObject([
    {
      parts: [
        { done: true, parts: [{ text: "a" }] },
        { done: false, parts: [{ text: "b" }] },
        { parts: [{ text: "c" }] },
      ],
    },
  ])
  expect(parse("a\n---\nb")).toMatchObject([{ kind: "paragraph" }, { kind: "rule" }, { kind: "paragraph" }])
  expect(links(parse("www.example.com/a, see www.b.org"))).toEqual(["http://www.example.com/a", "http://www.b.org"])
  expect(links(parse("www. awww.x.y readme.md"))).toEqual([])
})

function row(kind: "headCell" | "cell", left: Part[], right: Part[]): Part {
  return {
    kind: "row",
    parts: [
      { kind, parts: left, align: "left" },
      { kind, parts: right, align: "right" },
    ],
  }
}

test("no letter of a message is lost", () => {
  const unit = fc.constantFrom(..."*_`~#>-+|\\ \n\tab1.", "    ", "```", "- ", "> ", "|-|", "注：")
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 80 }), content => {
      const letters = (value: string) => value.replace(/[^ab注]/gu, "")
      // A fence's language is not part of the text.
      if (!/(?:```|~~~)[^\n]*[ab注]/u.test(content)) expect(letters(text(parse(content)))).toBe(letters(content))
    }),
    { numRuns: 500 },
  )
})
