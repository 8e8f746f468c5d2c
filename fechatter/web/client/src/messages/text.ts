/** What may be sent, counted and cut as the server counts. Pure. */

/** Unicode White_Space; JavaScript's own `trim` knows another set. */
const BLANK = /^\p{White_Space}*$/u
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/gu
const HALF = /[\ud800-\udfff]/gu

/** Unicode scalar values, as the server counts them; a lone surrogate is none, and is counted to be refused. */
export function length(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

export function isBlank(text: string): boolean {
  return BLANK.test(text)
}

/** Without the control characters that the server refuses, as pasted from terminals. */
export function clean(text: string): string {
  return text.replace(/\r\n?/gu, "\n").replace(CONTROL, "").replace(HALF, "\ufffd")
}

/**
 * A long text in parts of at most `most` characters, cut at empty lines, else at lines, else at spaces.
 * Code blocks that are cut are closed and opened again.
 */
export function split(text: string, most: number): string[] {
  const parts: string[] = []
  let rest = text
  let fence = ""
  while (length(fence) + length(rest) > most) {
    const room = most - length(fence) - "\n```".length
    const head = cutAt(rest, room)
    const open = fenceAfter(fence, head)
    parts.push(fence + head.trimEnd() + (open === "" ? "" : "\n```"))
    rest = rest.slice(head.length).replace(/^\n+/, "")
    fence = open
  }
  return [...parts, fence + rest].filter(part => !isBlank(part))
}

function cutAt(text: string, room: number): string {
  const head = [...text].slice(0, room).join("")
  for (const separator of ["\n\n", "\n", " "]) {
    const place = head.lastIndexOf(separator)
    if (place > head.length / 2) return head.slice(0, place + separator.length)
  }
  return head
}

/** The line that opens the code block which is open at the end of a part, or "". */
function fenceAfter(before: string, part: string): string {
  let open = before
  for (const line of part.split("\n")) {
    if (line.startsWith("```")) open = open === "" ? `${line}\n` : ""
  }
  return open
}
