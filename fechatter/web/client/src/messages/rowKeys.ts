/**
 * Keyboard control of the message list. The list is one tab stop. Arrow keys move from message to message and, within a
 * message, from control to control. Enter opens a message's actions. Typed text goes to the composer.
 */

import { onBeforeUpdate, onMounted, onUpdated, type Ref } from "vue"

const ROW = "[data-row]"
const CONTROLS = "a[href], button:not(:disabled), pre"
/** Places with keys of their own. */
const OWN = "textarea, input, select, dialog, [role=menu]"

interface Ways {
  scroller: Readonly<Ref<HTMLElement | null>>
  /** Move to the composer. */
  write(): void
  /** Move to the newest message, which may have to be loaded. */
  toNewest(): Promise<void>
}

export interface RowKeys {
  key(event: KeyboardEvent): void
  focused(event: FocusEvent): void
}

export function useRowKeys({ scroller, write, toNewest }: Ways): RowKeys {
  /** The key of the row that had the focus last. */
  let active: string | undefined
  /** The focused row's index from the end before the list changed; null if the focus was elsewhere. */
  let before: number | null = null

  function rows(): HTMLElement[] {
    return [...(scroller.value?.querySelectorAll<HTMLElement>(ROW) ?? [])]
  }

  function focus(row: HTMLElement | undefined): void {
    row?.focus({ preventScroll: true })
    row?.scrollIntoView({ block: "nearest" })
  }

  /** One row is the list's tab stop: the row that last had the focus, or else the last row. */
  function settle(): void {
    const all = rows()
    const stop = all.find(row => row.dataset["row"] === active) ?? all.at(-1)
    for (const row of all) {
      const tabIndex = row === stop ? 0 : -1
      if (row.tabIndex !== tabIndex) row.tabIndex = tabIndex
    }
  }

  function focused(event: FocusEvent): void {
    active = rowOf(event.target)?.dataset["row"] ?? active
    settle()
  }

  function key(event: KeyboardEvent): void {
    if ((event.target as Element).closest(OWN)) return
    const row = rowOf(event.target)
    if (goes(event, row)) return event.preventDefault()
    // The letter itself goes where the focus is by then.
    if (isWriting(event)) write()
  }

  /** Returns whether the key was one of the list's. */
  function goes(event: KeyboardEvent, row: HTMLElement | undefined): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false
    const all = rows()
    const at = row === undefined ? all.length : all.indexOf(row)
    if (event.key === "ArrowUp") focus(all[Math.max(0, at - 1)])
    else if (event.key === "ArrowDown") focus(all[Math.min(all.length - 1, at + 1)])
    else if (event.key === "Home") focus(all[0])
    else if (event.key === "End") void toNewest().then(() => focus(rows().at(-1)))
    else if (event.key === "Escape") write()
    else if (event.key === "Enter" && event.target === row) row?.querySelector<HTMLElement>("[aria-haspopup]")?.click()
    else return row !== undefined && goesWithin(event, row)
    return true
  }

  onMounted(settle)

  onBeforeUpdate(() => {
    const row = rowOf(document.activeElement)
    const all = rows()
    before = row !== undefined && all.includes(row) ? all.length - all.indexOf(row) : null
  })

  // The focused row was removed, so the row in its place gets the focus.
  onUpdated(() => {
    settle()
    if (before !== null && document.activeElement === document.body) focus(rows().at(-before) ?? rows()[0])
  })

  return { key, focused }
}

function rowOf(target: EventTarget | null): HTMLElement | undefined {
  return (target instanceof Element && target.closest<HTMLElement>(ROW)) || undefined
}

/** The controls of a message, one after the other, and back to the message itself. */
function goesWithin(event: KeyboardEvent, row: HTMLElement): boolean {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
  if (step === undefined) return false
  const isRtl = getComputedStyle(row).direction === "rtl"
  const all = [row, ...row.querySelectorAll<HTMLElement>(CONTROLS)]
  const at = all.indexOf(event.target as HTMLElement) + (isRtl ? -step : step)
  all[(at + all.length) % all.length]?.focus()
  return true
}

function isWriting(event: KeyboardEvent): boolean {
  const isPasting = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "v"
  return isPasting || (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey)
}
