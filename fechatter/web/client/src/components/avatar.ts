const GOLDEN_ANGLE = 137.508
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })
const WRITTEN_TOGETHER = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u

/** The colour of an id, in degrees: always the same, and far from that of its neighbours. */
export function hue(id: number): number {
  return Math.round((id * GOLDEN_ANGLE) % 360)
}

/** The first letters of the first and the last name; of names written together, the first sign. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean)
  const first = firstSign(words[0] ?? "")
  const last = words.length > 1 ? firstSign(words.at(-1) ?? "") : ""
  return (WRITTEN_TOGETHER.test(first) ? first : first + last).toLocaleUpperCase() || "?"
}

function firstSign(word: string): string {
  const [sign] = segmenter.segment(word)
  return sign?.segment ?? ""
}
