/** The part of the message list that is on the screen. */

import type { View } from "@/messages/reading"

const AT_END_PIXELS = 48
/** The part of the screen above the line of new messages, so that earlier messages stay visible. */
const ABOVE_DIVIDER = 0.2

export function isAtEnd(scroller: HTMLElement): boolean {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < AT_END_PIXELS
}

export function toEnd(scroller: HTMLElement): void {
  scroller.scrollTop = scroller.scrollHeight
}

/**
 * Show the line of new messages near the top, or the end if few messages follow it. Returns whether there is a line.
 */
export function toDivider(scroller: HTMLElement): boolean {
  const divider = scroller.querySelector<HTMLElement>(".news")
  if (divider) scroller.scrollTop += distance(scroller, divider)
  return divider !== null
}

/** Scroll to the end, but not past the line of new messages, because they have not been seen. */
export function toEndFromDivider(scroller: HTMLElement): void {
  const divider = scroller.querySelector<HTMLElement>(".news")
  const max = divider ? scroller.scrollTop + Math.max(0, distance(scroller, divider)) : scroller.scrollHeight
  scroller.scrollTop = max
}

function distance(scroller: HTMLElement, divider: HTMLElement): number {
  const above = Math.min(scroller.clientHeight * ABOVE_DIVIDER, 160)
  return divider.getBoundingClientRect().top - scroller.getBoundingClientRect().top - above
}

/** Returns null if no message is on the screen. */
export function viewOf(scroller: HTMLElement): View | null {
  const { top, bottom } = scroller.getBoundingClientRect()
  const rows = [...scroller.querySelectorAll<HTMLElement>("[data-number]")]
  const first = rows.find(row => row.getBoundingClientRect().bottom > top)
  const last = isAtEnd(scroller) ? rows.at(-1) : rows.findLast(row => row.getBoundingClientRect().bottom <= bottom)
  return first && last ? { first: numberOf(first), last: numberOf(last) } : null
}

function numberOf(row: HTMLElement): number {
  return Number(row.dataset["number"])
}
