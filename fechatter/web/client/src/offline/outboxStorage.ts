/** Stores waiting messages in the browser's database, or in memory if the database refuses. */

import type { Database } from "@/offline/database"
import type { Waiting } from "@/state/waiting"

export interface OutboxStorage {
  all(): Promise<Waiting[]>
  put(item: Waiting): Promise<void>
  delete(key: string): Promise<void>
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
    async put(item) {
      memory.set(item.key, item)
      if ((await attempt(found => found.put("waiting", item))) !== null) memory.delete(item.key)
    },
    async delete(key) {
      memory.delete(key)
      await attempt(found => found.delete("waiting", key))
    },
  }
}
