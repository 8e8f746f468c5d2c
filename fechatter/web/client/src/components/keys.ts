import { isComposing } from "@/platform/composition"

export const isMac = /Mac|iPhone|iPad/u.test(navigator.platform)

const MAC: Record<string, string> = { Mod: "⌘", Alt: "⌥", Shift: "⇧", Enter: "↩", Escape: "esc" }
const OTHERS: Record<string, string> = { Mod: "Ctrl", Enter: "↵", Escape: "Esc" }
const ARROWS: Record<string, string> = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" }

/** Returns the name of a key as printed on this machine's keyboard. */
export function keyName(key: string): string {
  return ARROWS[key] ?? (isMac ? MAC : OTHERS)[key] ?? key
}

/** Whether an event matches keys such as `Mod+Shift+K`. Nothing matches while an input method composes. */
export function isPressed(event: KeyboardEvent, keys: string): boolean {
  if (isComposing(event)) return false
  const parts = keys.split("+")
  const key = parts.at(-1) ?? ""
  const mod = isMac ? event.metaKey : event.ctrlKey
  const other = isMac ? event.ctrlKey : event.metaKey
  return (
    isKey(event, key, parts.includes("Alt")) &&
    mod === parts.includes("Mod") &&
    !other &&
    event.altKey === parts.includes("Alt") &&
    (key.length === 1 && !/[a-z]/iu.test(key) ? true : event.shiftKey === parts.includes("Shift"))
  )
}

/** With Alt a letter key may produce another character (¨ on a Mac), so the key's position counts too. */
function isKey(event: KeyboardEvent, key: string, isAlt: boolean): boolean {
  return event.key.toLowerCase() === key.toLowerCase() || (isAlt && event.code === `Key${key.toUpperCase()}`)
}
