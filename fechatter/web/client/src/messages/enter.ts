/** The effect of Enter in the composer. */

import { isPressed } from "@/components/keys"
import { preferences } from "@/preferences/preferences"

/** A phone's keyboard has no Shift+Enter, so Enter starts a new line. */
export function isTouchOnly(): boolean {
  return matchMedia("(pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches
}

export function doesEnterSend(): boolean {
  return preferences.enter === "auto" ? !isTouchOnly() : preferences.enter === "send"
}

/** Whether a key sends or saves the text. */
export function sends(event: KeyboardEvent): boolean {
  return isPressed(event, "Mod+Enter") || (isPressed(event, "Enter") && doesEnterSend())
}
