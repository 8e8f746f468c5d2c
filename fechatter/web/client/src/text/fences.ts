/** Finds the code blocks of a text that may be cut, and the lines that close and reopen each block. Pure. */

import { blocksOf } from "@/text/parser"

/** All places are indexes into the text's scalar values. */
export interface Fence {
  /** The start of the line that opens the block. */
  from: number
  /** A cut from here on, and before `end`, divides the code. */
  start: number
  end: number
  /** The end of the line that closes the block; equal to `end` if there is no such line. */
  after: number
  again: Again
}

interface Again {
  /** The line that opens the block again. */
  opening: string
  /** The text before code whose line was cut. */
  indent: string
  closing: string
}

/** The maximum share of a message for repeated lines, so that each message contains enough new text. */
const MAX_SHARE = 0.25
const MAX_INFO = 60

/** Returns the blocks of a text for messages of `max` scalar values. A block with a long fence is cut like text. */
export function fencesIn(characters: readonly string[], max: number): Fence[] {
  const starts = lineStarts(characters)
  const at = (line: number) => starts[line] ?? characters.length
  const textOf = (line: number) => characters.slice(at(line), at(line + 1)).join("")
  return blocksOf(characters.join("")).flatMap(({ type, map, markup, info }) => {
    if (type !== "fence" || map === null) return []
    const [first, last] = map
    const isClosed = last - first > 1 && closes(textOf(last - 1), markup)
    const end = isClosed ? at(last - 1) + 1 : at(last)
    const again = againOf(textOf(first), markup, info.trim(), max * MAX_SHARE)
    const fence = { from: at(first), start: at(first + 1), end, after: Math.max(end, at(last)) }
    return again !== null && fits(fence, again, max) ? [{ ...fence, again }] : []
  })
}

/** Whether the lines that open and close the block fit into a message, because they are never cut. */
function fits({ from, start, end, after }: Omit<Fence, "again">, { closing }: Again, max: number): boolean {
  return start - from + closing.length <= max && after - end <= max / 2
}

function lineStarts(characters: readonly string[]): number[] {
  const starts = [0]
  characters.forEach((character, place) => {
    if (character === "\n" || (character === "\r" && characters[place + 1] !== "\n")) starts.push(place + 1)
  })
  return starts
}

function closes(line: string, markup: string): boolean {
  const rest = line.replace(/^[>\s]+/u, "").trimEnd()
  return rest.length >= markup.length && rest === markup.charAt(0).repeat(rest.length)
}

/** Returns the lines with the fence's language, or without it if that is too long; null if even that is too long. */
function againOf(opener: string, markup: string, info: string, max: number): Again | null {
  const before = opener.slice(0, opener.indexOf(markup)).replaceAll("\t", "    ")
  // A list's mark appears once; the following lines are indented by its width.
  const indent = before.replace(/[^>\s]/gu, " ")
  const bare = { opening: deepened(before) + markup, indent, closing: indent + markup }
  const whole = { ...bare, opening: bare.opening + info }
  const found = (info.length <= MAX_INFO ? [whole, bare] : [bare]).find(({ opening }) => {
    return opening.length + indent.length + bare.closing.length + "\n\n".length <= max
  })
  return found ?? null
}

/** Four spaces at the start would be an indented code block, so list marks indent the fence instead. */
function deepened(before: string): string {
  return before.replace(/ {4,}$/u, spaces => "- ".repeat(spaces.length / 2).padEnd(spaces.length))
}
