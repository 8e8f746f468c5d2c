/** Shows a truncated name in full when the pointer rests on it or the keyboard reaches its row. */

import { hideTip, restOn, showTip } from "@/components/tip"

const CUT = ".one-line"

/** Watches the whole page; call it once. */
export function showTruncated(): void {
  addEventListener("pointerover", event => {
    const cut = (event as PointerEvent).pointerType === "touch" ? null : truncatedAt(event.target)
    if (cut) restOn(cut, cut.textContent ?? "")
  })
  addEventListener("pointerout", event => truncatedAt(event.target) && hideTip())
  addEventListener("focusin", event => {
    const row = event.target instanceof HTMLElement && event.target.matches(":focus-visible") ? event.target : null
    const cut = row && [row, ...row.querySelectorAll<HTMLElement>(CUT)].find(isTruncated)
    if (cut) showTip(cut, cut.textContent ?? "")
  })
}

function truncatedAt(target: EventTarget | null): HTMLElement | null {
  const cut = target instanceof Element ? target.closest<HTMLElement>(CUT) : null
  return cut !== null && isTruncated(cut) ? cut : null
}

function isTruncated(element: HTMLElement): boolean {
  return element.matches(CUT) && element.scrollWidth > element.clientWidth
}
