/**
 * Keyboard control of the message list. The list is one tab stop. Arrow keys move from message to message and, within a
 * message, from control to control. Enter opens a message's actions. Typed text goes to the composer.
 */

import { onBeforeUpdate, onMounted, onUpdated, type Ref } from "vue"

const ROW = "[data-row]"
const CONTROLS = "a[href], button:not(:disabled), pre"
/** Elements that handle keys themselves. */
const OWN_KEYS = "textarea, input, select, dialog, [role=menu]"

interface Options {
  scroller: Readonly<Ref<HTMLElement | null>>
  /** Moves to the composer. */
  write(): void
  /** Moves to the newest message, which may have to be loaded. */
  toNewest(): Promise<void>
}

export function useRowKeys(options: Options): RowKeys {
  const keys = new RowKeys(options)
  onMounted(() => keys.settle())
  onBeforeUpdate(() => keys.beforeUpdate())
  onUpdated(() => keys.updated())
  return keys
}

export class RowKeys {
  private readonly options: Options
  /** The key of the row that had the focus last. */
  private active: string | undefined
  /** The focused row's index from the end before the list changed; null if the focus was elsewhere. */
  private before: number | null = null

  constructor(options: Options) {
    this.options = options
  }

  /** One row is the list's tab stop: the row that last had the focus, or else the last row. */
  settle(): void {
    const all = this.rows()
    const stop = all.find(row => row.dataset["row"] === this.active) ?? all.at(-1)
    for (const row of all) {
      const tabIndex = row === stop ? 0 : -1
      if (row.tabIndex !== tabIndex) row.tabIndex = tabIndex
    }
  }

  beforeUpdate(): void {
    const row = rowOf(document.activeElement)
    const all = this.rows()
    this.before = row !== undefined && all.includes(row) ? all.length - all.indexOf(row) : null
  }

  /** If the focused row was removed, the row in its place gets the focus. */
  updated(): void {
    this.settle()
    if (this.before === null || document.activeElement !== document.body) return
    const rows = this.rows()
    focus(rows.at(-this.before) ?? rows[0])
  }

  focused(event: FocusEvent): void {
    this.active = rowOf(event.target)?.dataset["row"] ?? this.active
    this.settle()
  }

  key(event: KeyboardEvent): void {
    if ((event.target as Element).closest(OWN_KEYS)) return
    if (this.handle(event, rowOf(event.target))) return event.preventDefault()
    // The browser types the character into the element that has the focus by then.
    if (isTyping(event)) this.options.write()
  }

  /** Returns whether the key is one of the list's keys. */
  private handle(event: KeyboardEvent, row: HTMLElement | undefined): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false
    const all = this.rows()
    const index = row === undefined ? all.length : all.indexOf(row)
    if (event.key === "ArrowUp") focus(all[Math.max(0, index - 1)])
    else if (event.key === "ArrowDown") focus(all[Math.min(all.length - 1, index + 1)])
    else if (event.key === "Home") focus(all[0])
    else if (event.key === "End") void this.options.toNewest().then(() => focus(this.rows().at(-1)))
    else if (event.key === "Escape") this.options.write()
    else if (event.key === "Enter" && event.target === row) row?.querySelector<HTMLElement>("[aria-haspopup]")?.click()
    else return row !== undefined && moveWithin(event, row)
    return true
  }

  private rows(): HTMLElement[] {
    return [...(this.options.scroller.value?.querySelectorAll<HTMLElement>(ROW) ?? [])]
  }
}

function focus(row: HTMLElement | undefined): void {
  row?.focus({ preventScroll: true })
  row?.scrollIntoView({ block: "nearest" })
}

function rowOf(target: EventTarget | null): HTMLElement | undefined {
  return (target instanceof Element && target.closest<HTMLElement>(ROW)) || undefined
}

/** Moves through the controls of a message, and back to the message itself. */
function moveWithin(event: KeyboardEvent, row: HTMLElement): boolean {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
  if (step === undefined) return false
  const isRtl = getComputedStyle(row).direction === "rtl"
  const all = [row, ...row.querySelectorAll<HTMLElement>(CONTROLS)]
  const index = all.indexOf(event.target as HTMLElement) + (isRtl ? -step : step)
  all[(index + all.length) % all.length]?.focus()
  return true
}

function isTyping(event: KeyboardEvent): boolean {
  const isPasting = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "v"
  return isPasting || (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey)
}
