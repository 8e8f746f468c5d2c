/** Suggests emoji while a person types `:na` in the composer. */

import { computed, ref, shallowRef, type Ref } from "vue"
import { locale } from "@/i18n"
import { emoji, type Emoji, found } from "@/text/emoji"

const MAX_SUGGESTED = 8
const MAX_NAME = 60

interface Word {
  query: string
  start: number
}

export class Suggestions {
  readonly found = shallowRef<Emoji[]>([])
  readonly chosen = ref(0)
  readonly isShown = computed(() => this.found.value.length > 0)
  private readonly area: Readonly<Ref<HTMLTextAreaElement | null>>
  private readonly complete: (start: number, end: number, emoji: Emoji) => void

  /** `complete` replaces the text from `start` to `end` by the emoji. */
  constructor(
    area: Readonly<Ref<HTMLTextAreaElement | null>>,
    complete: (start: number, end: number, emoji: Emoji) => void,
  ) {
    this.area = area
    this.complete = complete
  }

  close(): void {
    this.found.value = []
  }

  async update(): Promise<void> {
    const word = this.word()
    if (word === null) return this.close()
    const all = await emoji(locale.value).catch(() => [])
    if (this.word()?.query !== word.query) return
    this.found.value = found(all, word.query, MAX_SUGGESTED)
    this.chosen.value = 0
  }

  /** Returns whether the key belongs to the list of suggestions. */
  key(event: KeyboardEvent): boolean {
    const count = this.found.value.length
    if (count === 0) return false
    if (event.key === "ArrowDown") this.chosen.value = (this.chosen.value + 1) % count
    else if (event.key === "ArrowUp") this.chosen.value = (this.chosen.value + count - 1) % count
    else if (event.key === "Enter" || event.key === "Tab") this.choose(this.found.value[this.chosen.value])
    else if (event.key === "Escape") this.close()
    else return false
    return true
  }

  choose(one: Emoji | undefined): void {
    const word = this.word()
    this.close()
    if (one === undefined || word === null) return
    this.complete(word.start, this.area.value?.selectionStart ?? word.start, one)
  }

  /** Returns the `:na` before the caret, or null. */
  private word(): Word | null {
    const caret = this.area.value?.selectionStart ?? 0
    const before = (this.area.value?.value ?? "").slice(Math.max(0, caret - MAX_NAME), caret)
    const match = /(?:^|[\s(])(:([a-z0-9_+-]{2,}))$/u.exec(before)
    return match?.[1] && match[2] ? { query: match[2], start: caret - match[1].length } : null
  }
}
