/**
 * The chat that each person opened last. The browser stores it until the person signs out; this page remembers it until
 * it is closed.
 */

import { remembered } from "@/api/token"
import { browserStorage } from "@/platform/storage"

const opened = new Map<string, number>()
let isWanted = false

export function setLastChat(chatId: number): void {
  const name = remembered()?.name
  if (name === undefined) return
  opened.set(name, chatId)
  browserStorage.set(keyOf(name), String(chatId))
}

/** Make the home page open the last chat. Call this after a person has signed in. */
export function wantLastChat(): void {
  isWanted = true
}

/** Returns the chat for the home page to open, or null. After `wantLastChat`, one call returns the chat. */
export function takeLastChat(): number | null {
  const name = remembered()?.name
  if (!isWanted || name === undefined) return null
  isWanted = false
  return opened.get(name) ?? (Number(browserStorage.get(keyOf(name))) || null)
}

/** Remove the stored id. */
export function forgetLastChat(name: string): void {
  browserStorage.delete(keyOf(name))
}

function keyOf(name: string): string {
  return `${name}.chat`
}
