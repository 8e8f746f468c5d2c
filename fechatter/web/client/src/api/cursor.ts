/**
 * Positions in the event log: opaque but for the number after the last dot. Numbers compare between two loads of
 * everything; a log that went back in time ends with `reset`.
 */

/** The number in a position; 0 for none. */
export function seqOf(cursor: string | null): number {
  return cursor ? Number(cursor.slice(cursor.lastIndexOf(".") + 1)) : 0
}

/** Returns the part before the number, or "". It may change from one event to the next. */
export function eraOf(cursor: string | null): string {
  return cursor ? cursor.slice(0, cursor.lastIndexOf(".")) : ""
}
