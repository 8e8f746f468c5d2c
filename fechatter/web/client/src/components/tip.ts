import type { Directive } from "vue"
import { placeElement } from "@/components/place"

const DELAY_MS = 400
/** Within this time after one tip, the next one appears without a delay. */
const WARM_MS = 300

let tip: HTMLElement | undefined
let timer: ReturnType<typeof setTimeout> | undefined
let hiddenAt = 0
const texts = new WeakMap<Element, string>()

/** `v-tip="text"` shows a text when the pointer rests on the element or the keyboard reaches it. */
export const vTip: Directive<HTMLElement, string | undefined> = {
  mounted(element, { value }) {
    remember(element, value)
    element.addEventListener("pointerenter", rest)
    element.addEventListener("pointerleave", hideTip)
    element.addEventListener("pointerdown", hideTip)
    element.addEventListener("focus", focus)
    element.addEventListener("blur", hideTip)
  },
  updated(element, { value }) {
    remember(element, value)
  },
  beforeUnmount: hideTip,
}

function remember(element: Element, text: string | undefined): void {
  if (text) texts.set(element, text)
  else texts.delete(element)
}

function rest(event: PointerEvent): void {
  const element = event.currentTarget as HTMLElement
  const text = texts.get(element)
  if (event.pointerType !== "touch" && text) restOn(element, text)
}

/** Shows a text at an element after the pointer has rested there for a moment. */
export function restOn(element: HTMLElement, text: string): void {
  clearTimeout(timer)
  timer = setTimeout(() => showTip(element, text), performance.now() - hiddenAt < WARM_MS ? 0 : DELAY_MS)
}

function focus(event: FocusEvent): void {
  const element = event.currentTarget as HTMLElement
  const text = texts.get(element)
  if (text && element.matches(":focus-visible")) showTip(element, text)
}

export function showTip(element: HTMLElement, text: string): void {
  if (!text || !element.isConnected || element.getAttribute("aria-expanded") === "true") return
  tip ??= make()
  tip.textContent = text
  tip.showPopover?.()
  placeElement(tip, element, { side: "above", align: "center" })
  addEventListener("scroll", hideTip, { capture: true, once: true })
  addEventListener("keydown", hideTip, { capture: true, once: true })
}

export function hideTip(): void {
  clearTimeout(timer)
  if (!tip?.matches(":popover-open")) return
  tip.hidePopover()
  hiddenAt = performance.now()
}

/** The page has one tip. It is hidden from screen readers, which read the element's own label. */
function make(): HTMLElement {
  const made = document.createElement("div")
  made.className = "tip"
  made.popover = "manual"
  made.ariaHidden = "true"
  document.body.append(made)
  return made
}
