/** One registry of all keys: what they do, and the sheet that lists them. */

import { onScopeDispose, shallowReactive } from "vue"
import { isPressed } from "@/components/keys"
import type { Key } from "@/i18n"

export interface Shortcut {
  /** As in `Kbd`: `Mod+K`. */
  keys: string
  /** What it does, for the sheet. */
  text: Key
  group: "shell.shortcutsAnywhere" | "shell.shortcutsMessages"
  /** Left out where a component handles the keys itself, and only the sheet shall list them. */
  run?: (event: KeyboardEvent) => void
  /** Also while somebody types; keys without Mod never are unless this says so. */
  whileTyping?: boolean
}

export const shortcuts = shallowReactive(new Set<Shortcut>())

/** As long as the component lives. */
export function useShortcuts(...added: Shortcut[]): void {
  for (const shortcut of added) shortcuts.add(shortcut)
  onScopeDispose(() => added.forEach(shortcut => shortcuts.delete(shortcut)))
}

/** Called for every key that reaches the window; the shortcut added last wins. */
export function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented) return
  const isTyping = types(event.target)
  for (const shortcut of [...shortcuts].reverse()) {
    if (!shortcut.run || !isPressed(event, shortcut.keys)) continue
    if (isTyping && !(shortcut.whileTyping ?? shortcut.keys.includes("Mod+"))) continue
    // A dialog is a place of its own: what lies under it hears no key.
    if (document.querySelector("dialog[open]")) return
    event.preventDefault()
    shortcut.run(event)
    return
  }
}

function types(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"))
}
