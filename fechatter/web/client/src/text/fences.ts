/** Where the blocks of code of a text are that may be cut, and what closes and opens each again. Pure. */

import { blocksOf } from "@/text/parser"

/** All places are those among the text's scalar values. */
export interface Fence {
  /** Where the line begins that opens it. */
  from: number
  /** A cut from here on, and before `end`, is a cut of its code. */
  start: number
  end: number
  /** Where the line ends that closes it; the same as `end` where none does. */
  after: number
  again: Again
}

interface Again {
  /** The line that opens the block again. */
  opening: string
  /** What stands before code whose line was cut. */
  indent: string
  closing: string
}

/** Of a message: so much may be written twice, so that each message brings the text forward. */
const MAX_SHARE = 0.25
const MAX_INFO = 60

/** The blocks of a text whose messages have `most` scalar values; one whose fence is too long is cut as text is. */
export function fencesIn(signs: readonly string[], max: number): Fence[] {
  const starts = lineStarts(signs)
  const at = (line: number) => starts[line] ?? signs.length
  const textOf = (line: number) => signs.slice(at(line), at(line + 1)).join("")
  return blocksOf(signs.join("")).flatMap(({ type, map, markup, info }) => {
    if (type !== "fence" || map === null) return []
    const [first, last] = map
    const isClosed = last - first > 1 && closes(textOf(last - 1), markup)
    const end = isClosed ? at(last - 1) + 1 : at(last)
    const again = againOf(textOf(first), markup, info.trim(), max * MAX_SHARE)
    const fence = { from: at(first), start: at(first + 1), end, after: Math.max(end, at(last)) }
    return again !== null && fits(fence, again, max) ? [{ ...fence, again }] : []
  })
}

/** The lines that open and close it are never cut, so there must be room for each. */
function fits({ from, start, end, after }: Omit<Fence, "again">, { closing }: Again, max: number): boolean {
  return start - from + closing.length <= max && after - end <= max / 2
}

function lineStarts(signs: readonly string[]): number[] {
  const starts = [0]
  signs.forEach((sign, place) => {
    if (sign === "\n" || (sign === "\r" && signs[place + 1] !== "\n")) starts.push(place + 1)
  })
  return starts
}

function closes(line: string, markup: string): boolean {
  const rest = line.replace(/^[>\s]+/u, "").trimEnd()
  return rest.length >= markup.length && rest === markup.charAt(0).repeat(rest.length)
}

/** With what follows the fence, if there is room for it, else without, else not at all. */
function againOf(opener: string, markup: string, info: string, max: number): Again | null {
  const before = opener.slice(0, opener.indexOf(markup)).replaceAll("\t", "    ")
  // A list's mark stands once; what follows is indented as far.
  const indent = before.replace(/[^>\s]/gu, " ")
  const bare = { opening: deepened(before) + markup, indent, closing: indent + markup }
  const whole = { ...bare, opening: bare.opening + info }
  const found = (info.length <= MAX_INFO ? [whole, bare] : [bare]).find(({ opening }) => {
    return opening.length + indent.length + bare.closing.length + "\n\n".length <= max
  })
  return found ?? null
}

/** Four spaces at the beginning would be code of their own: marks of lists bring the fence as far. */
function deepened(before: string): string {
  return before.replace(/ {4,}$/u, spaces => "- ".repeat(spaces.length / 2).padEnd(spaces.length))
}
