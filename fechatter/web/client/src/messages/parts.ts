/**
 * Markdown as people write it in chats, as a tree of parts. Nothing of it is ever HTML: the view makes an element of each part,
 * so a message can hold no markup but what is listed here. Pure.
 */

import MarkdownIt, { type Token } from "markdown-it"

export type Part =
  | { kind: "text"; text: string }
  | { kind: "break" }
  | { kind: "code"; text: string }
  | { kind: "block"; text: string; language: string }
  | { kind: "link"; address: string; parts: Part[] }
  | { kind: Wrapping; parts: Part[]; start?: number }

const WRAPPING = {
  p: "paragraph",
  em: "emphasis",
  strong: "strong",
  s: "struck",
  ul: "bullets",
  ol: "numbers",
  li: "item",
  blockquote: "quote",
  h1: "heading",
  h2: "heading",
  h3: "heading",
  h4: "heading",
  h5: "heading",
  h6: "heading",
} as const

export type Wrapping = (typeof WRAPPING)[keyof typeof WRAPPING]

const EMOJI = String.raw`\p{Emoji_Presentation}|\p{Emoji}\ufe0f`
// Each sign can be matched in one way only: two ways at every joint would be 2^n ways to fail, and a message that stops every reader.
const JOINED = String.raw`(?:${EMOJI})\p{Emoji_Modifier}?(?:\u200d\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)*`
const EMOJI_ONLY = new RegExp(String.raw`^(?:(?:\p{Regional_Indicator}{2}|${JOINED})\s*){1,6}$`, "u")

const MOST_BRACKETS = 400

/** Addresses a click may open; everything else stays text. */
const SAFE = /^(?:https?:|mailto:)/iu

const parser = new MarkdownIt({ html: false, breaks: true, linkify: true }).disable([
  "image",
  "table",
  "reference",
  "entity",
  "hr",
  "lheading",
  "html_block",
  "html_inline",
])
parser.validateLink = address => SAFE.test(address)
// Only what looks like an address to everybody: "example.com/path" is, "readme.md" is a file.
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false })

/** The parts of a message. */
export function parse(content: string): Part[] {
  if (isDense(content)) return [{ kind: "paragraph", parts: [{ kind: "text", text: content }] }]
  return new Builder().build(parser.parse(withEndedQuotes(content), {}))
}

/** Thousands of brackets cost the parser a quarter of a second a message, and mean nothing. */
function isDense(content: string): boolean {
  return content.length > MOST_BRACKETS && (content.match(/[[\]<]/gu)?.length ?? 0) > MOST_BRACKETS
}

/** In a chat a quote ends with its line; Markdown would go on to the next empty one. */
function withEndedQuotes(content: string): string {
  let isInFence = false
  let before = ""
  const lines = content.split("\n").flatMap(line => {
    const isEnd = before.startsWith(">") && !line.startsWith(">") && !isInFence
    if (/^ {0,3}(?:```|~~~)/u.test(line)) isInFence = !isInFence
    before = line
    return isEnd && line !== "" ? ["", line] : [line]
  })
  return lines.join("\n")
}

/** Whether a message is nothing but a few emoji, which are then shown large. */
export function isEmojiOnly(content: string): boolean {
  return EMOJI_ONLY.test(content)
}

class Builder {
  private readonly open: Part[][] = [[]]

  build(tokens: readonly Token[]): Part[] {
    tokens.forEach(token => this.take(token))
    return this.open[0] ?? []
  }

  private take(token: Token): void {
    if (token.type === "inline") token.children?.forEach(child => this.take(child))
    else if (token.nesting === 1) this.begin(token)
    else if (token.nesting === -1) this.end(token)
    else this.put(leaf(token))
  }

  private begin(token: Token): void {
    const parts: Part[] = []
    // A tight list's paragraphs are none.
    if (!token.hidden) this.put(wrapping(token, parts))
    this.open.push(token.hidden ? this.here : parts)
  }

  private end(token: Token): void {
    this.open.pop()
    const last = this.here.at(-1)
    if (token.type === "link_close" && last?.kind === "link" && isMasked(last)) {
      last.parts = [{ kind: "text", text: last.address }]
    }
  }

  private put(part: Part): void {
    if (part.kind === "text" && part.text === "") return
    const last = this.here.at(-1)
    if (part.kind === "text" && last?.kind === "text") last.text += part.text
    else this.here.push(part)
  }

  private get here(): Part[] {
    return this.open.at(-1) as Part[]
  }
}

/** Whether a link's words are an address of another place than it leads to. */
function isMasked({ address, parts }: Extract<Part, { kind: "link" }>): boolean {
  const words = wordsOf(parts).trim()
  return /^(?:https?:|www\.)/iu.test(words) && hostOf(words.replace(/^www\./iu, "https://www.")) !== hostOf(address)
}

function wordsOf(parts: readonly Part[]): string {
  return parts.map(part => ("text" in part ? part.text : "parts" in part ? wordsOf(part.parts) : " ")).join("")
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : ""
}

function wrapping(token: Token, parts: Part[]): Part {
  if (token.type === "link_open") return { kind: "link", address: String(token.attrGet("href") ?? ""), parts }
  const kind = WRAPPING[token.tag as keyof typeof WRAPPING]
  const start = token.attrGet("start")
  return start === null ? { kind, parts } : { kind, parts, start: Number(start) }
}

function leaf(token: Token): Part {
  switch (token.type) {
    case "softbreak":
    case "hardbreak":
      return { kind: "break" }
    case "code_inline":
      return { kind: "code", text: token.content }
    case "fence":
    case "code_block":
      return {
        kind: "block",
        text: token.content.replace(/\n$/u, ""),
        language: token.info.trim().split(/\s/u)[0] ?? "",
      }
    default:
      return { kind: "text", text: token.content }
  }
}
