/** A person's recent emoji and skin tone, stored in this browser until they sign out. */

import { remembered } from "@/api/token"
import { browserStorage, isObject } from "@/platform/storage"
import type { Emoji } from "@/text/emoji"

const MAX_RECENT = 24

export interface Favourites {
  /** Emoji without a skin tone, the most recent first. */
  recent: string[]
  /** The skin tone, from 1 (light) to 5 (dark); 0 for none. */
  tone: number
}

export function favourites(): Favourites {
  const found = browserStorage.getJson(keyOf(remembered()?.name), isObject) ?? {}
  const { recent, tone } = found as Partial<Record<keyof Favourites, unknown>>
  return {
    recent: Array.isArray(recent) ? recent.filter(text => typeof text === "string").slice(0, MAX_RECENT) : [],
    tone: typeof tone === "number" && tone >= 0 && tone <= 5 ? Math.floor(tone) : 0,
  }
}

export function keepFavourites(changed: Favourites): void {
  browserStorage.set(keyOf(remembered()?.name), JSON.stringify(changed))
}

/** Returns the favourites with this emoji as the most recent one. */
export function withRecent({ recent, tone }: Favourites, text: string): Favourites {
  return { recent: [text, ...recent.filter(one => one !== text)].slice(0, MAX_RECENT), tone }
}

/** Delete the person's favourites. */
export function forgetFavourites(name: string): void {
  browserStorage.delete(keyOf(name))
}

export function inTone(one: Emoji, tone: number): string {
  return one.tones[tone - 1] ?? one.text
}

function keyOf(name = "fechatter"): string {
  return `${name}.emoji`
}
