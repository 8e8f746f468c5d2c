/** Selects the format of dates and times: the reader's language, in the style of their region. */

import { preferences } from "@/preferences/preferences"

/**
 * Returns the tag for `Intl` formats. It is the first of the browser's languages with this language and a region
 * ("en-GB"). Otherwise it is the language with the first region of the browser ("en-DE").
 */
export function regional(language: string, wanted: readonly string[] = navigator.languages): string {
  const tags = wanted.map(parsed).filter(tag => tag !== null)
  const own = tags.find(tag => tag.language === language && tag.region !== undefined)
  if (own) return own.baseName
  const region = tags.find(tag => tag.region !== undefined)?.region
  return region === undefined ? language : new Intl.Locale(language, { region }).baseName
}

/** Returns the chosen clock, or nothing if the region decides. */
export function clockOptions(): { hourCycle?: "h12" | "h23" } {
  if (preferences.clock === "region") return {}
  return { hourCycle: preferences.clock === "12" ? "h12" : "h23" }
}

function parsed(tag: string): Intl.Locale | null {
  try {
    return new Intl.Locale(tag)
  } catch {
    return null
  }
}
