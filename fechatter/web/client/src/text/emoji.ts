/** Emoji by name, loaded on first use, with their English short names and the names in the reader's language. */

import type { Locale } from "@/i18n"
import { load as loadPart } from "@/platform/lazy"
import { blocksOf } from "@/text/parser"

export interface Emoji {
  /** Such as "🎉". */
  text: string
  /** Such as "tada", which people type between colons. */
  name: string
  /** The name in the reader's language. */
  label: string
  group: number
  /** The variants in each skin tone, from light to dark; empty if there are none. */
  tones: string[]
  /** Further words for the search. */
  words: string
}

interface Row {
  hexcode: string
  unicode: string
  label: string
  group?: number
  tags?: string[]
  skins?: { unicode: string }[]
}

type Shortcodes = Record<string, string | string[]>

const NAMES: Record<Locale, () => Promise<{ default: unknown }>> = {
  en: () => import("emojibase-data/en/compact.json"),
  zh: () => import("emojibase-data/zh/compact.json"),
  ja: () => import("emojibase-data/ja/compact.json"),
}

/** The group of single skin tones and letter parts, which nobody picks. */
const COMPONENTS = 2
const TONES = 5
const loaded = new Map<Locale, Promise<Emoji[]>>()

/** Returns all emoji, in the usual order of pickers. */
export function emoji(locale: Locale): Promise<Emoji[]> {
  const known = loaded.get(locale)
  if (known) return known
  const loading = load(locale)
  loaded.set(locale, loading)
  loading.catch(() => loaded.delete(locale))
  return loading
}

async function load(locale: Locale): Promise<Emoji[]> {
  const [rows, codes] = await Promise.all([
    loadPart(NAMES[locale]),
    loadPart(() => import("emojibase-data/en/shortcodes/github.json")),
  ])
  const shortcodes = codes.default as Shortcodes
  return (rows.default as Row[])
    .filter(row => row.group !== undefined && row.group !== COMPONENTS && shortcodes[row.hexcode] !== undefined)
    .map(row => {
      const names = [shortcodes[row.hexcode] ?? []].flat()
      const words = [...names, row.label, ...(row.tags ?? [])].join(" ").toLowerCase()
      const tones = row.skins?.length === TONES ? row.skins.map(skin => skin.unicode) : []
      return { text: row.unicode, name: names[0] ?? "", label: row.label, group: row.group ?? 0, tones, words }
    })
}

/** Returns the emoji that a part of a name finds. Names that start with the query come first. */
export function found(all: readonly Emoji[], query: string, max: number): Emoji[] {
  const wanted = query.toLowerCase()
  const first = all.filter(one => one.name.startsWith(wanted))
  const rest = all.filter(one => !one.name.startsWith(wanted) && one.words.includes(wanted))
  return [...first, ...rest].slice(0, max)
}

/** Returns the content to send. If the list of emoji does not load, that is the written content. */
export async function withNamedEmoji(content: string, locale: Locale): Promise<string> {
  if (!/:[a-z0-9_+-]+:/u.test(content)) return content
  return withEmoji(content, await emoji(locale).catch(() => []))
}

/** Matches code and addresses in a line of text; a run of backticks ends with the next run of the same length. */
const KEPT = /(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)|\w+:\/\/\S+|:([a-z0-9_+-]+):/gu

/** Replaces each emoji `:name:` outside code and addresses. */
export function withEmoji(content: string, all: readonly Emoji[]): string {
  const byName = new Map(all.map(one => [one.name, one.text]))
  const named = (text: string) =>
    text.replace(KEPT, (whole, _run, name: string | undefined) => byName.get(name ?? "") ?? whole)
  return piecesOf(content)
    .map(({ lines, isCode }) => (isCode ? lines.join("\n") : named(lines.join("\n"))))
    .join("\n")
}

/** Returns the lines of a text in runs: each run is a code block, or contains no code block. */
function piecesOf(content: string): { lines: string[]; isCode: boolean }[] {
  const code = new Set<number>()
  for (const { type, map } of blocksOf(content))
    if (map && (type === "fence" || type === "code_block"))
      for (let line = map[0]; line < map[1]; line += 1) code.add(line)
  const pieces: { lines: string[]; isCode: boolean }[] = []
  content.split("\n").forEach((line, place) => {
    const last = pieces.at(-1)
    if (last?.isCode === code.has(place)) last.lines.push(line)
    else pieces.push({ lines: [line], isCode: code.has(place) })
  })
  return pieces
}
