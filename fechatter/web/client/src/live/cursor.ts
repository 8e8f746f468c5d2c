/** Positions in the event log, written `epoch.seq`. */

/** The number in a position; 0 for none. */
export function seqOf(cursor: string | null): number {
  return cursor ? Number(cursor.slice(cursor.lastIndexOf(".") + 1)) : 0
}

/** The life of the database that a position belongs to; "" for none. */
export function epochOf(cursor: string | null): string {
  return cursor ? cursor.slice(0, cursor.lastIndexOf(".")) : ""
}
