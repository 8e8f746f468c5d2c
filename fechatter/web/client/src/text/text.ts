/** Checks of a message's text, with the server's rules. Pure. */

export { split } from "@/text/split"

/** Unicode White_Space; JavaScript's own `trim` knows another set. */
const BLANK = /^\p{White_Space}*$/u
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/gu
const HALF = /[\ud800-\udfff]/gu

/**
 * Returns the number of Unicode scalar values, as the server counts. A lone surrogate counts too; the server refuses
 * it.
 */
export function length(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

export function isBlank(text: string): boolean {
  return BLANK.test(text)
}

/** Removes control characters, which the server refuses, such as those of text from terminals. */
export function clean(text: string): string {
  return text.replace(/\r\n?/gu, "\n").replace(CONTROL, "").replace(HALF, "\ufffd")
}
