/**
 * The content of a message as a tree of parts, without any HTML. The view creates an element for each part, so a
 * message can contain only the markup that is listed here. Text that would be invisible is shown as written. Pure.
 */

import type { Token } from "markdown-it"
import { shownWords, withoutTurns } from "@/text/links"
import { tokensOf } from "@/text/parser"

export type Part =
  | { kind: "text"; text: string }
  | { kind: "break" }
  | { kind: "rule" }
  | { kind: "code"; text: string }
  | { kind: "block"; text: string; language: string }
  | { kind: "link"; address: string; parts: Part[] }
  | { kind: Wrapping; parts: Part[]; start?: number; align?: Align; done?: boolean }

export type Align = "left" | "center" | "right"

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
  table: "table",
  thead: "head",
  tbody: "body",
  tr: "row",
  th: "headCell",
  td: "cell",
} as const

export type Wrapping = (typeof WRAPPING)[keyof typeof WRAPPING]

const EMOJI = String.raw`\p{Emoji_Presentation}|\p{Emoji}\ufe0f`
// Each character matches in only one way. Two ways at each joint would be 2^n attempts, and such a message would block
// every reader's page.
const JOINED = String.raw`(?:${EMOJI})\p{Emoji_Modifier}?(?:\u200d\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)*`
const EMOJI_ONLY = new RegExp(String.raw`^(?:(?:\p{Regional_Indicator}{2}|${JOINED})\s*){1,6}$`, "u")

/** The maximum depth of nested elements; deeper emphasis keeps its asterisks. */
const MAX_DEPTH = 32
/**
 * Invisible characters: spaces, controls, characters that Unicode ignores by default, and blank letters and symbols.
 */
const BLANK = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\u2800\u{16fe4}\u{1d159}]*$/u
const TASK = /^\[([ xX])\][ \t]+(?=\S)/u
const MAX_NAMED = 8

/** Returns the parts of a message. */
export function parse(content: string): Part[] {
  const lines = content.split(/\r\n?|\n/u)
  const parts = blocks(tokensOf(content)).map(block => built(block, lines))
  return BLANK.test(wordsOf(parts)) && !parts.some(isRule) ? [asWritten(content)] : parts
}

/** Whether a message consists of only a few emoji, which are shown large. */
export function isEmojiOnly(content: string): boolean {
  return EMOJI_ONLY.test(content)
}

/** The tokens of each top-level block. */
function blocks(tokens: Token[]): Token[][] {
  const found: Token[][] = []
  for (const token of tokens) {
    if (token.level === 0 && token.nesting >= 0) found.push([])
    found.at(-1)?.push(token)
  }
  return found
}

/** Returns a block, or its source lines if nothing of the block would be visible. */
function built(tokens: Token[], lines: string[]): Part {
  const [part] = new Builder().build(tokens)
  if (part !== undefined && (isRule(part) || !BLANK.test(wordsOf([part])))) return part
  const [start, end] = tokens[0]?.map ?? [0, 0]
  return asWritten(lines.slice(start, end).join("\n"))
}

/** Returns the text with its line breaks, or the names of its characters if all of them are invisible. */
function asWritten(text: string): Part {
  const written = BLANK.test(text) ? namesOf(text) : text.trimEnd()
  const parts = written
    .split("\n")
    .flatMap((line, place): Part[] => [
      ...(place > 0 ? [{ kind: "break" as const }] : []),
      ...(line === "" ? [] : [{ kind: "text" as const, text: line }]),
    ])
  return { kind: "paragraph", parts }
}

function namesOf(text: string): string {
  const points = [...text.trim()].map(sign => `U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`)
  return points.slice(0, MAX_NAMED).join(" ") + (points.length > MAX_NAMED ? " …" : "")
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
    if (this.isFlat(token)) {
      this.put({ kind: "text", text: token.hidden ? "" : token.markup })
      this.open.push(this.here)
    } else {
      this.put(wrapping(token, parts))
      this.open.push(parts)
    }
  }

  private end(token: Token): void {
    const parts = this.open.pop() as Part[]
    if (parts === this.here) return this.put({ kind: "text", text: token.hidden ? "" : token.markup })
    const last = this.here.at(-1)
    if (last?.kind === "link") last.parts = honest(last)
    else if (last?.kind === "item") markTask(last)
    else if (last?.kind === "heading" && parts.length === 0) parts.push({ kind: "text", text: token.markup })
    else if (last?.kind === "struck" && !/[\p{L}\p{N}\p{S}]/u.test(wordsOf(parts).replace(/[\^~]/gu, "")))
      this.unwrap(token.markup)
  }

  /** Tildes that mark a place in a line of code, as in the output of compilers, strike nothing out. */
  private unwrap(markup: string): void {
    const { parts } = this.here.pop() as Extract<Part, { parts: Part[] }>
    const mark: Part = { kind: "text", text: markup }
    for (const part of [mark, ...parts, { ...mark }]) this.put(part)
  }

  /** A tight list's paragraphs need no element, and too deep elements stay text. */
  private isFlat(token: Token): boolean {
    return token.hidden || (token.type !== "link_open" && !token.block && this.open.length > MAX_DEPTH)
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

/** Returns the parts of a link, or its address if the parts are deceptive. */
function honest({ address, parts }: Extract<Part, { kind: "link" }>): Part[] {
  const words = wordsOf(parts)
  const shown = shownWords(words, address)
  return shown === words ? parts.map(straight) : [{ kind: "text", text: shown }]
}

function straight(part: Part): Part {
  if ("text" in part) return { ...part, text: withoutTurns(part.text) }
  return "parts" in part ? { ...part, parts: part.parts.map(straight) } : part
}

/** Marks an item that starts with `[x]` or `[ ]` as a task. */
function markTask(item: Extract<Part, { kind: Wrapping }>): void {
  const first = item.parts[0]
  const text = first?.kind === "paragraph" ? first.parts[0] : first
  if (text?.kind !== "text") return
  const task = TASK.exec(text.text)
  if (task === null) return
  item.done = task[1] !== " "
  text.text = text.text.slice(task[0].length)
}

function isRule(part: Part): boolean {
  return part.kind === "rule" || ("parts" in part && part.parts.some(isRule))
}

function wordsOf(parts: readonly Part[]): string {
  return parts.map(part => ("text" in part ? part.text : "parts" in part ? wordsOf(part.parts) : " ")).join("")
}

function wrapping(token: Token, parts: Part[]): Part {
  if (token.type === "link_open") return { kind: "link", address: String(token.attrGet("href") ?? ""), parts }
  const kind = WRAPPING[token.tag as keyof typeof WRAPPING]
  const start = token.attrGet("start")
  if (start !== null) return { kind, parts, start: Number(start) }
  const align = /text-align:(left|center|right)/u.exec(String(token.attrGet("style") ?? ""))?.[1] as Align | undefined
  return align === undefined ? { kind, parts } : { kind, parts, align }
}

function leaf(token: Token): Part {
  switch (token.type) {
    case "softbreak":
    case "hardbreak":
      return { kind: "break" }
    case "hr":
      return { kind: "rule" }
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
