/** What Enter does where one writes. */

import { isPressed } from "@/components/keys"
import { preferences } from "@/settings/preferences"

/** A phone's keyboard has no Shift+Enter, and a key of its own for the next line. */
export function isTouchOnly(): boolean {
  return matchMedia("(pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches
}

export function doesEnterSend(): boolean {
  return preferences.enter === "auto" ? !isTouchOnly() : preferences.enter === "send"
}

/** Whether a key sends, or saves, what is written. */
export function sends(event: KeyboardEvent): boolean {
  return isPressed(event, "Mod+Enter") || (isPressed(event, "Enter") && doesEnterSend())
}
