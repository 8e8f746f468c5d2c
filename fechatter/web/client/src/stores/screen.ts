/** The people whose pictures are on this tab's screen. */

const SETTLE_MS = 300

export class Screen {
  /** The number of pictures of each person; the person who appeared last is at the end. */
  private readonly shown = new Map<number, number>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly changed: (ids: readonly number[]) => void

  /** `changed` gets the people a moment after the last change. */
  constructor(changed: (ids: readonly number[]) => void) {
    this.changed = changed
  }

  /** A picture of this person appeared. */
  show(id: number): void {
    const count = (this.shown.get(id) ?? 0) + 1
    this.shown.delete(id)
    this.shown.set(id, count)
    this.repeat()
  }

  /** A picture of this person disappeared. */
  hide(id: number): void {
    const left = (this.shown.get(id) ?? 0) - 1
    if (left > 0) this.shown.set(id, left)
    else this.shown.delete(id)
    this.repeat()
  }

  /** Pass on the people again. */
  repeat(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.changed([...this.shown.keys()]), SETTLE_MS)
  }

  stop(): void {
    clearTimeout(this.timer)
  }
}
