/** Positions in the event log, written `epoch.seq`. */

/** The number in a position; 0 for none. */
export function seqOf(cursor) {
  return cursor ? Number(cursor.slice(cursor.lastIndexOf(".") + 1)) : 0;
}
