/** Stores waiting messages in the browser's database, or in memory if the database refuses. */

import type { Database } from "@/offline/database"
import type { Change, Waiting } from "@/state/waiting"

export interface OutboxStorage {
  all(): Promise<Waiting[]>
  /**
   * Change a message while no other tab can change it; returns the result.
   *
   * `known` is changed if the browser's database cannot be read.
   */
  update(key: string, change: Change, known?: Waiting): Promise<Waiting | undefined>
}

/** If the database is full or missing, messages stay in memory, so nothing is lost. */
export function outboxStorageIn(database: Database | null): OutboxStorage {
  const memory = new Map<string, Waiting>()
  const attempt = async <Result>(work: (database: Database) => Promise<Result>): Promise<Result | null> =>
    database === null ? null : work(database).catch(() => null)
  return {
    async all() {
      const stored = (await attempt(found => found.getAll("waiting"))) ?? []
      return [...new Map([...stored, ...memory.values()].map(item => [item.key, item])).values()]
    },
    async update(key, change, known) {
      const unsaved = memory.get(key)
      const stored = await attempt(async found => [await changeIn(found, key, item => change(item ?? unsaved))])
      const item = stored ? stored[0] : change(unsaved ?? known)
      if (stored || !item) memory.delete(key)
      else memory.set(key, item)
      return item
    },
  }
}

async function changeIn(database: Database, key: string, change: Change): Promise<Waiting | undefined> {
  const transaction = database.transaction("waiting", "readwrite")
  const before = await transaction.store.get(key)
  const item = change(before)
  if (item) void transaction.store.put(item)
  else if (before) void transaction.store.delete(key)
  await transaction.done
  return item
}
