import type { Directive } from "vue"
import { placeElement } from "@/components/place"

const DELAY_MS = 400
/** Who has just read one tip gets the next without waiting. */
const WARM_MS = 300

let tip: HTMLElement | undefined
let timer: ReturnType<typeof setTimeout> | undefined
let hiddenAt = 0
const texts = new WeakMap<Element, string>()

/** `v-tip="text"`: says what something is when the pointer rests on it or the keyboard reaches it. */
export const vTip: Directive<HTMLElement, string | undefined> = {
  mounted(element, { value }) {
    remember(element, value)
    element.addEventListener("pointerenter", rest)
    element.addEventListener("pointerleave", hide)
    element.addEventListener("pointerdown", hide)
    element.addEventListener("focus", focus)
    element.addEventListener("blur", hide)
  },
  updated(element, { value }) {
    remember(element, value)
  },
  beforeUnmount: hide,
}

function remember(element: Element, text: string | undefined): void {
  if (text) texts.set(element, text)
  else texts.delete(element)
}

function rest(event: PointerEvent): void {
  const element = event.currentTarget as HTMLElement
  if (event.pointerType === "touch") return
  clearTimeout(timer)
  timer = setTimeout(() => show(element), performance.now() - hiddenAt < WARM_MS ? 0 : DELAY_MS)
}

function focus(event: FocusEvent): void {
  const element = event.currentTarget as HTMLElement
  if (element.matches(":focus-visible")) show(element)
}

function show(element: HTMLElement): void {
  const text = texts.get(element)
  if (!text || !element.isConnected || element.getAttribute("aria-expanded") === "true") return
  tip ??= make()
  tip.textContent = text
  tip.showPopover?.()
  placeElement(tip, element, { side: "above", align: "center" })
  addEventListener("scroll", hide, { capture: true, once: true })
  addEventListener("keydown", hide, { capture: true, once: true })
}

function hide(): void {
  clearTimeout(timer)
  if (!tip?.matches(":popover-open")) return
  tip.hidePopover()
  hiddenAt = performance.now()
}

/** One for the whole page; hidden from readers, who hear the element's own label. */
function make(): HTMLElement {
  const made = document.createElement("div")
  made.className = "tip"
  made.popover = "manual"
  made.ariaHidden = "true"
  document.body.append(made)
  return made
}
