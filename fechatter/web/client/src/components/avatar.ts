const GOLDEN_ANGLE = 137.508
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })
const WITHOUT_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u

/** Returns the hue of an id, in degrees. Successive ids get very different hues. */
export function hue(id: number): number {
  return Math.round((id * GOLDEN_ANGLE) % 360)
}

/** Returns the first letters of the first and last name, or the first character of a name without spaces. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean)
  const first = firstCharacter(words[0] ?? "")
  const last = words.length > 1 ? firstCharacter(words.at(-1) ?? "") : ""
  return (WITHOUT_SPACES.test(first) ? first : first + last).toLocaleUpperCase() || "?"
}

function firstCharacter(word: string): string {
  const [sign] = segmenter.segment(word)
  return sign?.segment ?? ""
}
