/**
 * The Markdown parser of the client: markdown-it with the rules that a chat needs. Messages are drawn from its tokens,
 * long texts are split at its blocks, and names of emoji are replaced outside its code.
 *
 * The work for a message is linear in its length. Constructs that would cost more (thousands of brackets, deep nesting,
 * tables of empty cells) stay text, and the rest of the message keeps its structure.
 */

import MarkdownIt, {
  type MarkdownIt as Parser,
  type StateBlock,
  type StateCore,
  type StateInline,
  type Token,
} from "markdown-it"

/** The limit in one paragraph. Further ones are text, because the parser searches for the end of each. */
const MAX_BRACKETS = 400
const MAX_LEVELS = 24
/** The limit of a table, because a row of one character can become a thousand empty cells. */
const MAX_TOKENS = 10_000

/** The addresses that a click may open; other addresses stay text. */
const SAFE = /^(?:https?:|mailto:)/iu
const CJK = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Bopo}\u3001-\u303f\ufe30-\ufe4f\uff01-\uff65]/u
const SPACE = /\p{White_Space}/u

const NEWLINE = 0x0a
const BACKTICK = 0x60
const BRACKETS = "[<"

class ChatState extends MarkdownIt().inline.State {
  /** CommonMark finds the ends of words by spaces, but Chinese, Japanese and Korean are written without them. */
  override scanDelims(start: number, canSplitWord: boolean) {
    const found = super.scanDelims(start, canSplitWord)
    if (!canSplitWord) return found
    const before = [...this.src.slice(Math.max(0, start - 4), start)].findLast(isBase) ?? " "
    const end = start + found.length
    const after = end < this.posMax ? String.fromCodePoint(this.src.codePointAt(end) ?? 0x20) : " "
    if (!CJK.test(before) && !CJK.test(after)) return found
    return { ...found, can_open: !SPACE.test(after), can_close: !SPACE.test(before) }
  }
}

function isBase(character: string): boolean {
  return !/\p{Variation_Selector}/u.test(character)
}

function make(): Parser {
  const made = new MarkdownIt({ html: false, breaks: true, linkify: true })
  made.disable(["image", "reference", "entity", "lheading", "html_block", "html_inline"])
  made.validateLink = address => SAFE.test(address)
  // Only text with a scheme or "www." becomes a link, because "readme.md" is a file.
  made.linkify.set({ fuzzyLink: false, fuzzyEmail: false })
  made.linkify.add("www.", {
    validate(text, pos, self) {
      const host = self.re.get_relative_proto_validator()
      host.lastIndex = pos
      return host.exec(text)?.[0].length ?? 0
    },
    normalize: match => (match.url = `http://${match.url}`),
  })
  made.block.ruler.before("table", "deep", deep)
  made.block.ruler.before("blockquote", "bounds", bounds, { alt: ["blockquote"] })
  made.inline.State = ChatState
  made.inline.ruler.at("newline", newline)
  made.inline.ruler.at("backticks", backticks)
  made.inline.ruler.before("link", "brackets", brackets)
  made.core.ruler.after("block", "indentation", indentation)
  return made
}

const parser = make()

export function tokensOf(text: string): Token[] {
  return parser.parse(text, {})
}

/** Returns only the blocks, each with its range of lines (`map`). */
export function blocksOf(text: string): Token[] {
  const tokens: Token[] = []
  parser.block.parse(text.replace(/\r\n?/gu, "\n"), parser, {}, tokens)
  return tokens
}

/** Deeper nesting, which nobody writes by hand, stays text. */
function deep(state: StateBlock, start: number, end: number): boolean {
  if (state.level < MAX_LEVELS) return false
  let line = start + 1
  while (line < end && !state.isEmpty(line) && (state.sCount[line] ?? 0) >= state.blkIndent) line += 1
  state.line = line
  state.push("paragraph_open", "p", 1).map = [start, line]
  const inline = state.push("inline", "", 0)
  inline.content = state.getLines(start, line, state.blkIndent, false).trim()
  inline.map = [start, line]
  inline.children = []
  state.push("paragraph_close", "p", -1)
  return true
}

/** In a chat a quote ends with its line; in Markdown it continues to the next empty line. */
function bounds(state: StateBlock, _start: number, _end: number, silent: boolean): boolean {
  const parent = state.parentType as string
  return silent && (parent === "blockquote" || (parent === "table" && state.tokens.length > MAX_TOKENS))
}

/** Unlike Markdown's own rule it keeps the spaces that a line begins with. */
function newline(state: StateInline, silent: boolean): boolean {
  if (state.src.charCodeAt(state.pos) !== NEWLINE) return false
  if (!silent) {
    state.pending = state.pending.trimEnd()
    state.push("softbreak", "br", 0)
  }
  state.pos += 1
  return true
}

const endings = new WeakMap<StateInline, Map<number, number>>()

/** Unlike Markdown's own rule it keeps the line breaks within code. */
function backticks(state: StateInline, silent: boolean): boolean {
  const { pos, src } = state
  if (src.charCodeAt(pos) !== BACKTICK) return false
  let start = pos
  while (src.charCodeAt(start) === BACKTICK) start += 1
  const known = endings.get(state) ?? nextRuns(src)
  endings.set(state, known)
  const end = known.get(pos)
  const isCode = end !== undefined && end + start - pos <= state.posMax
  if (!silent && isCode) {
    const token = state.push("code_inline", "code", 0)
    token.content = src.slice(start, end).replace(/^ (?=.*[^ ])(.*) $/su, "$1")
  } else if (!silent) state.pending += src.slice(pos, start)
  state.pos = isCode ? end + start - pos : start
  return true
}

/** Returns, for the position of each run of backticks, the position of the next run of the same length. */
function nextRuns(src: string): Map<number, number> {
  const next = new Map<number, number>()
  const last = new Map<number, number>()
  for (const { 0: run, index } of src.matchAll(/`+/gu)) {
    const before = last.get(run.length)
    if (before !== undefined) next.set(before, index)
    last.set(run.length, index)
  }
  return next
}

const dense = new WeakMap<StateInline, boolean>()

function brackets(state: StateInline, silent: boolean): boolean {
  const sign = state.src.charAt(state.pos)
  if (!BRACKETS.includes(sign) || !isDense(state)) return false
  if (!silent) state.pending += sign
  state.pos += 1
  return true
}

function isDense(state: StateInline): boolean {
  const known = dense.get(state) ?? (state.src.match(/[[\]<]/gu)?.length ?? 0) > MAX_BRACKETS
  dense.set(state, known)
  return known
}

/** A paragraph keeps the spaces before its first line too. */
function indentation(state: StateCore): void {
  const lines = state.src.split("\n")
  state.tokens.forEach((token, place) => {
    if (token.level !== 1 || token.map === null || state.tokens[place - 1]?.type !== "paragraph_open") return
    token.content = (/^[ \t]*/u.exec(lines[token.map[0]] ?? "")?.[0] ?? "") + token.content
  })
}
