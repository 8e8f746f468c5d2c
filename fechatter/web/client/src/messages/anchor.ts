/** Keeps what is read in its place while messages come and go above it. */

export class Anchor {
  private row: HTMLElement | null = null
  private top = 0
  private isAtEnd = true

  /** Before the list changes: remember the first message on the screen, unless the reader is at the end. */
  take(scroller: HTMLElement, isAtEnd: boolean): void {
    this.isAtEnd = isAtEnd
    this.row = null
    if (isAtEnd) return
    const top = scroller.getBoundingClientRect().top
    for (const row of scroller.querySelectorAll<HTMLElement>("[data-number]")) {
      const place = row.getBoundingClientRect()
      if (place.bottom <= top) continue
      this.row = row
      this.top = place.top
      return
    }
  }

  /** After the list changed: move that message back to where it was. False when the end is to be shown instead. */
  restore(scroller: HTMLElement): boolean {
    if (this.isAtEnd) return false
    if (this.row?.isConnected) scroller.scrollTop += this.row.getBoundingClientRect().top - this.top
    return true
  }
}
