/** The data that the browser stores for a visit without a network. */

import type { Page } from "playwright-core"
import { expect } from "vitest"

/** Wait until the worker has stored the client, and the client has saved its state. */
export async function waitUntilSaved(page: Page): Promise<void> {
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  await expect.poll(() => page.evaluate(savedTimelines), { timeout: 60_000 }).toBeGreaterThan(0)
}

async function savedTimelines(): Promise<number> {
  const ended = <Result>(request: IDBRequest<Result>) =>
    new Promise<Result>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  const [found] = await indexedDB.databases()
  const database = await ended(indexedDB.open(found!.name!))
  const count = await ended(database.transaction("timelines").objectStore("timelines").count())
  database.close()
  return count
}
