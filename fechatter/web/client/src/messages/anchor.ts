/** Keeps the visible messages in place while messages above them appear and disappear. */

export class Anchor {
  private row: HTMLElement | null = null
  private top = 0
  private isAtEnd = true

  /** Before the list changes, store the first visible message, unless the reader is at the end. */
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

  /** After the list has changed, move that message back. Returns false if the end must be shown instead. */
  restore(scroller: HTMLElement): boolean {
    if (this.isAtEnd) return false
    if (this.row?.isConnected) scroller.scrollTop += this.row.getBoundingClientRect().top - this.top
    return true
  }
}
