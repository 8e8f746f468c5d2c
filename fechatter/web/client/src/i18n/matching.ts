/** Finds names as people type them: in any script, without accents, a few letters of them. Pure. */

const ACCENTS = /[\u0300-\u036f]/gu
const KATAKANA = /[\u30a1-\u30f6]/gu
const KANA_APART = 0x60

/** How well a text fits what was typed, best first; 0 when it does not. */
const BEGINS = 4
const BEGINS_WORD = 3
const HOLDS = 2
const HAS_LETTERS = 1

/** A text as it is compared: no case, no accents, no width, one kana. */
export function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replace(ACCENTS, "")
    .toLowerCase()
    .replace(KATAKANA, sign => String.fromCodePoint(sign.codePointAt(0)! - KANA_APART))
}

/** How well `text` fits `query`, of which every word must be found; 0 when it does not, more is better. */
export function score(query: string, text: string): number {
  const words = fold(query).split(/\s+/u).filter(Boolean)
  const there = fold(text)
  const scores = words.map(word => scoreWord(word, there))
  if (scores.includes(0)) return 0
  return words.length === 0 ? BEGINS : scores.reduce((sum, one) => sum + one, 0) / scores.length
}

/** Those that fit, the best first; those that fit alike stay in their order. */
export function best<Item>(query: string, items: readonly Item[], text: (item: Item) => string): Item[] {
  return items
    .map(item => ({ item, fits: score(query, text(item)) }))
    .filter(({ fits }) => fits > 0)
    .sort((one, other) => other.fits - one.fits)
    .map(({ item }) => item)
}

function scoreWord(word: string, there: string): number {
  const at = there.indexOf(word)
  if (at === 0) return BEGINS
  if (at < 0) return hasLetters(word, there) ? HAS_LETTERS : 0
  return beginsWord(word, there, at) ? BEGINS_WORD : HOLDS
}

function beginsWord(word: string, there: string, first: number): boolean {
  for (let at = first; at >= 0; at = there.indexOf(word, at + 1))
    if (!/[\p{L}\p{N}]/u.test(there.charAt(at - 1))) return true
  return false
}

/** Whether the letters come in this order, as in `gnrl` for `general`. */
function hasLetters(word: string, there: string): boolean {
  let at = 0
  for (const letter of word) {
    at = there.indexOf(letter, at) + 1
    if (at === 0) return false
  }
  return true
}
