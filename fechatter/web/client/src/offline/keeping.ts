/** Stores waiting messages in the browser's database, or in memory if the database refuses. */

import type { Waiting } from "@/state/waiting"
import type { Database } from "@/offline/database"

export interface Keeping {
  all(): Promise<Waiting[]>
  put(item: Waiting): Promise<void>
  delete(key: string): Promise<void>
}

/** If the database is full or gone, messages stay in memory, so nothing is lost. */
export function keepingIn(database: Database | null): Keeping {
  const memory = new Map<string, Waiting>()
  const attempt = async <Result>(work: (database: Database) => Promise<Result>): Promise<Result | null> =>
    database === null ? null : work(database).catch(() => null)
  return {
    async all() {
      const kept = (await attempt(found => found.getAll("waiting"))) ?? []
      return [...new Map([...kept, ...memory.values()].map(item => [item.key, item])).values()]
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
