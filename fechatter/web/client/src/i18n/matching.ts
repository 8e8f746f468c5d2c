/** Finds names by a few typed letters, in any script and without accents. Pure. */

const ACCENTS = /[\u0300-\u036f]/gu
const KATAKANA = /[\u30a1-\u30f6]/gu
const KANA_APART = 0x60

/** The scores of a match, best first. */
const BEGINS = 4
const BEGINS_WORD = 3
const CONTAINS = 2
const HAS_LETTERS = 1

/** Returns the text for comparison: without case, accents and width, and with one kind of kana. */
export function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replace(ACCENTS, "")
    .toLowerCase()
    .replace(KATAKANA, sign => String.fromCodePoint(sign.codePointAt(0)! - KANA_APART))
}

/** Returns how well `text` matches all words of `query`. More is better; 0 means no match. */
export function score(query: string, text: string): number {
  const words = fold(query).split(/\s+/u).filter(Boolean)
  const there = fold(text)
  const scores = words.map(word => scoreWord(word, there))
  if (scores.includes(0)) return 0
  return words.length === 0 ? BEGINS : scores.reduce((sum, one) => sum + one, 0) / scores.length
}

/** Returns the matching items, best first. Items with equal scores keep their order. */
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
  return beginsWord(word, there, at) ? BEGINS_WORD : CONTAINS
}

function beginsWord(word: string, there: string, first: number): boolean {
  for (let at = first; at >= 0; at = there.indexOf(word, at + 1))
    if (!/[\p{L}\p{N}]/u.test(there.charAt(at - 1))) return true
  return false
}

/** Whether the text contains the letters in this order, such as `gnrl` in `general`. */
function hasLetters(word: string, there: string): boolean {
  let at = 0
  for (const letter of word) {
    at = there.indexOf(letter, at) + 1
    if (at === 0) return false
  }
  return true
}
