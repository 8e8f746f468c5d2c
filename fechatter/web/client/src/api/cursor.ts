/**
 * Positions in the event log. A position is opaque except for the number after the last dot. Numbers may be compared
 * until the next full reload. If the log went back in time, the server sends `reset`.
 */

/** Returns the number in a position; 0 if there is no position. */
export function seqOf(cursor: string | null): number {
  return cursor ? Number(cursor.slice(cursor.lastIndexOf(".") + 1)) : 0
}

/** Returns the part before the number, or "". It may change from one event to the next. */
export function eraOf(cursor: string | null): string {
  return cursor ? cursor.slice(0, cursor.lastIndexOf(".")) : ""
}
