/** Places a floating element, such as a menu, beside its anchor and inside the window. */

export interface Box {
  left: number
  top: number
  width: number
  height: number
}

export interface Placement {
  side: "above" | "below"
  align: "start" | "center" | "end"
}

const GAP = 4
const MARGIN = 8

/** Returns the upper left corner, in CSS pixels. If the wanted side has no space, the other side is used. */
export function place(anchor: Box, floating: Box, view: { width: number; height: number }, wanted: Placement) {
  const above = anchor.top - GAP - floating.height
  const below = anchor.top + anchor.height + GAP
  const fitsAbove = above >= MARGIN
  const fitsBelow = below + floating.height <= view.height - MARGIN
  const isAbove = wanted.side === "above" ? fitsAbove || !fitsBelow : fitsAbove && !fitsBelow
  return {
    left: clamp(start(anchor, floating, wanted.align), MARGIN, view.width - floating.width - MARGIN),
    top: clamp(isAbove ? above : below, MARGIN, view.height - floating.height - MARGIN),
  }
}

/** Moves an element of the top layer to its place. In right-to-left text, start and end are swapped. */
export function placeElement(floating: HTMLElement, anchor: Element, wanted: Placement): void {
  const rightToLeft = getComputedStyle(anchor).direction === "rtl"
  const align = rightToLeft ? ({ start: "end", center: "center", end: "start" } as const)[wanted.align] : wanted.align
  const view = { width: document.documentElement.clientWidth, height: window.innerHeight }
  const { left, top } = place(anchor.getBoundingClientRect(), floating.getBoundingClientRect(), view, {
    ...wanted,
    align,
  })
  floating.style.left = `${left}px`
  floating.style.top = `${top}px`
}

function start(anchor: Box, floating: Box, align: Placement["align"]): number {
  if (align === "start") return anchor.left
  if (align === "end") return anchor.left + anchor.width - floating.width
  return anchor.left + (anchor.width - floating.width) / 2
}

/** If the bounds contradict each other, the lower bound wins. */
function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(value, max))
}
