/** The registry of all keyboard shortcuts. */

import { onScopeDispose, shallowReactive } from "vue"
import { isPressed } from "@/components/keys"
import type { Key } from "@/i18n"

export interface Shortcut {
  /** Such as `Mod+K`, as in `Kbd`. */
  keys: string
  /** The description in the list of shortcuts. */
  text: Key
  group: "shell.shortcutsAnywhere" | "shell.shortcutsMessages"
  /** Left out if a component handles the keys itself and the shortcut is only listed. */
  run?: (event: KeyboardEvent) => void
  /** Whether the shortcut works while the person types. The default is true only for shortcuts with Mod. */
  whileTyping?: boolean
}

export const shortcuts = shallowReactive(new Set<Shortcut>())

/** Registers shortcuts while the component lives. */
export function useShortcuts(...added: Shortcut[]): void {
  for (const shortcut of added) shortcuts.add(shortcut)
  onScopeDispose(() => added.forEach(shortcut => shortcuts.delete(shortcut)))
}

/** Handles every key that reaches the window. The shortcut that was added last wins. */
export function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented) return
  const isTyping = isTextField(event.target)
  for (const shortcut of [...shortcuts].reverse()) {
    if (!shortcut.run || !isPressed(event, shortcut.keys)) continue
    if (isTyping && !(shortcut.whileTyping ?? shortcut.keys.includes("Mod+"))) continue
    // While a dialog is open, the views below it get no keys.
    if (document.querySelector("dialog[open]")) return
    event.preventDefault()
    shortcut.run(event)
    return
  }
}

function isTextField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"))
}
