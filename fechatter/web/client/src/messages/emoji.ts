/** Emoji by name, loaded when first asked for: the English short names everywhere, the names of the reader's language too. */

import type { Locale } from "@/i18n"

export interface Emoji {
  /** Such as "🎉". */
  text: string
  /** Such as "tada", as written between colons. */
  name: string
  /** In the reader's language. */
  label: string
  group: number
  /** What else it is found by. */
  words: string
}

interface Row {
  hexcode: string
  unicode: string
  label: string
  group?: number
  tags?: string[]
}

type Shortcodes = Record<string, string | string[]>

const NAMES: Record<Locale, () => Promise<{ default: unknown }>> = {
  en: () => import("emojibase-data/en/compact.json"),
  zh: () => import("emojibase-data/zh/compact.json"),
  ja: () => import("emojibase-data/ja/compact.json"),
}

/** Single skin tones and parts of letters are no emoji to pick. */
const COMPONENTS = 2
const loaded = new Map<Locale, Promise<Emoji[]>>()

/** All emoji, in the order of the pickers that people know. */
export function emoji(locale: Locale): Promise<Emoji[]> {
  const known = loaded.get(locale)
  if (known) return known
  const loading = load(locale)
  loaded.set(locale, loading)
  loading.catch(() => loaded.delete(locale))
  return loading
}

async function load(locale: Locale): Promise<Emoji[]> {
  const [rows, codes] = await Promise.all([NAMES[locale](), import("emojibase-data/en/shortcodes/github.json")])
  const shortcodes = codes.default as Shortcodes
  return (rows.default as Row[])
    .filter(row => row.group !== undefined && row.group !== COMPONENTS && shortcodes[row.hexcode] !== undefined)
    .map(row => {
      const names = [shortcodes[row.hexcode] ?? []].flat()
      const words = [...names, row.label, ...(row.tags ?? [])].join(" ").toLowerCase()
      return { text: row.unicode, name: names[0] ?? "", label: row.label, group: row.group ?? 0, words }
    })
}

/** Those found by a part of a name, names that begin so first. */
export function found(all: readonly Emoji[], query: string, most: number): Emoji[] {
  const wanted = query.toLowerCase()
  const first = all.filter(one => one.name.startsWith(wanted))
  const rest = all.filter(one => !one.name.startsWith(wanted) && one.words.includes(wanted))
  return [...first, ...rest].slice(0, most)
}

/** The content as it is sent; as it was written where the list of emoji does not load. */
export async function withNamedEmoji(content: string, locale: Locale): Promise<string> {
  if (!/:[a-z0-9_+-]+:/u.test(content)) return content
  return withEmoji(content, await emoji(locale).catch(() => []))
}

/** Every `:name:` that is an emoji's becomes it, outside code. */
export function withEmoji(content: string, all: readonly Emoji[]): string {
  const byName = new Map(all.map(one => [one.name, one.text]))
  return content
    .split(/(```[\s\S]*?(?:```|$)|`[^`\n]*`)/u)
    .map((piece, place) =>
      place % 2 === 1 ? piece : piece.replace(/:([a-z0-9_+-]+):/gu, (whole, name: string) => byName.get(name) ?? whole),
    )
    .join("")
}
