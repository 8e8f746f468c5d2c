/**
 * The positions in responses. The server checks them when a stream begins: if its log has lost one of them, the client
 * shows something that is not in the log, and loads everything again.
 */

import { eraOf, seqOf } from "@/api/cursor"

/** The server accepts no more. */
const MAX_POSITIONS = 32

export class Positions {
  /** The highest position of each era. A log that goes back begins another era. */
  private readonly highest = new Map<string, string>()

  /** Remember the position of a response. */
  see(position: string | null): void {
    const era = eraOf(position)
    const known = this.highest.get(era)
    if (position === null || seqOf(position) <= seqOf(known ?? null)) return
    if (known !== undefined || this.highest.size < MAX_POSITIONS) this.highest.set(era, position)
  }

  /** Returns the positions as a header, or null if there are none. */
  header(): string | null {
    return this.highest.size === 0 ? null : [...this.highest.values()].join(", ")
  }

  /** Returns the position with the highest number, or null. */
  newest(): string | null {
    return [...this.highest.values()].reduce<string | null>(
      (one, other) => (seqOf(other) > seqOf(one) ? other : one),
      null,
    )
  }

  /** The server's log contains all of them, so the newest is enough from now on. */
  confirm(): void {
    const newest = this.newest()
    this.forget()
    this.see(newest)
  }

  forget(): void {
    this.highest.clear()
  }
}
