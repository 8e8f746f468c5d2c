/**
 * Splits a long text into as few messages as possible. Pure.
 *
 * A cut inside a code block costs the characters that close and reopen the block. A message that reopens a block has
 * less room for text, as if it began earlier by these characters (`worth`). The search therefore goes backwards from
 * the end: for each message, it finds the least worth with which the rest still fits. This gives the fewest messages.
 * Among the possible places, the split uses the place that reads best.
 */

import { type Fence, fencesIn } from "@/text/fences"

/** Better places have higher ranks. */
const RANKS = { inCharacter: 0, inWord: 1, word: 2, codeLine: 3, line: 4, paragraph: 5 } as const
/** Higher than all ranks. */
const FULL = 10
const BLANK = /^\p{White_Space}*$/u

/**
 * Returns parts of at most `max` scalar values. Joined, they are the text, except for lines that close and reopen code
 * blocks.
 */
export function split(text: string, max: number): string[] {
  return new Splitter(text, max).parts()
}

class Splitter {
  /** Scalar values, as the server counts them. */
  private readonly characters: readonly string[]
  private readonly max: number
  private readonly fences: Fence[]
  /** For each place, the number of the code block around it, from 1; 0 for none. */
  private readonly within: Int32Array
  /** The places in a line that opens or closes a block. */
  private readonly barred: Uint8Array

  constructor(text: string, max: number) {
    this.characters = [...text]
    this.max = max
    this.fences = fencesIn(this.characters, max)
    this.within = new Int32Array(this.characters.length + 1)
    this.barred = new Uint8Array(this.characters.length + 1)
    this.fences.forEach(({ from, start, end, after }, place) => {
      this.within.fill(place + 1, start, end)
      this.barred.fill(1, from + 1, start).fill(1, end, after)
    })
  }

  parts(): string[] {
    const cuts = this.cuts()
    const parts = cuts.slice(1).map((end, place) => this.part(cuts[place] as number, end))
    return parts.filter(part => !BLANK.test(part))
  }

  private part(start: number, end: number): string {
    return this.opening(start) + this.characters.slice(start, end).join("") + this.closing(end)
  }

  private fenceAt(place: number): Fence | undefined {
    return this.fences[(this.within[place] ?? 0) - 1]
  }

  /** The beginning of a message whose first character is in a code block. */
  private opening(place: number): string {
    const again = this.fenceAt(place)?.again
    return again === undefined ? "" : `${again.opening}\n${this.isLineStart(place) ? "" : again.indent}`
  }

  private closing(place: number): string {
    const again = this.fenceAt(place)?.again
    return again === undefined ? "" : `${this.isLineStart(place) ? "" : "\n"}${again.closing}`
  }

  private isLineStart(place: number): boolean {
    const [last, next] = [this.characters[place - 1], this.characters[place]]
    return last === "\n" || (last === "\r" && next !== "\n")
  }

  /** The worth of a message that begins here: its place minus the cost of reopening a block. */
  private worth(place: number): number {
    return place - [...this.opening(place)].length
  }

  /** The reach that a message must have to end here: its place plus the cost of closing a block. */
  private need(place: number): number {
    return place + [...this.closing(place)].length
  }

  private isPlace(place: number): boolean {
    return this.barred[place] === 0 && !(this.characters[place - 1] === "\r" && this.characters[place] === "\n")
  }

  /** Returns the first and the last place of the text, and the cuts between them. */
  private cuts(): number[] {
    const cuts = [0]
    for (const goal of this.goals().slice(1)) cuts.push(this.best(cuts.at(-1) as number, goal))
    return [...cuts, this.characters.length]
  }

  /** Returns, for each message, the least worth of its first place with which the remaining messages suffice. */
  private goals(): number[] {
    const goals = [this.characters.length - this.max]
    while ((goals[0] as number) > 0) goals.unshift(this.leastNeed(goals[0] as number) - this.max)
    return goals
  }

  private leastNeed(goal: number): number {
    let min = Infinity
    for (let place = goal; place < Math.min(min, this.characters.length); place += 1)
      if (this.isPlace(place) && this.worth(place) >= goal) min = Math.min(min, this.need(place))
    return min
  }

  private best(start: number, goal: number): number {
    const reach = this.worth(start) + this.max
    // A better place to cut is not worth a nearly empty message.
    const half = start + this.max / 2
    let best = { place: start, score: -1 }
    for (let place = Math.max(start + 1, goal); place <= reach; place += 1) {
      if (!this.isPlace(place) || this.need(place) > reach || this.worth(place) < goal) continue
      const score = this.rank(place) + (place > half ? FULL : 0)
      if (score >= best.score) best = { place, score }
    }
    return best.place
  }

  private rank(place: number): number {
    const [last, next] = [this.characters[place - 1] ?? "", this.characters[place] ?? ""]
    if (this.isLineStart(place)) {
      if (this.fenceAt(place)) return RANKS.codeLine
      return this.characters[place - 2] === "\n" ? RANKS.paragraph : RANKS.line
    }
    if (/[\s\u3001\u3002\uff01\uff0c\uff1b\uff1f]/u.test(last) && !/\s/u.test(next)) return RANKS.word
    return /[\p{M}\p{Emoji_Modifier}\u200d]/u.test(next) || last === "\u200d" ? RANKS.inCharacter : RANKS.inWord
  }
}
