/** The data that the browser stores for later visits. */

import type { Page } from "playwright-core"
import { expect } from "vitest"

/** Waits until the service worker has stored the client, and the client has saved its state. */
export async function waitUntilSaved(page: Page): Promise<void> {
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  await expect.poll(() => page.evaluate(valuesOf, "timelines"), { timeout: 60_000 }).not.toEqual([])
}

/** Waits until the browser has stored a draft, which happens a moment after the draft is shown. */
export async function waitUntilDraftStored(page: Page, text: string): Promise<void> {
  await expect.poll(() => page.evaluate(valuesOf, "drafts")).toContain(text)
}

/** Waits until the browser has stored a message that is not sent yet. */
export async function waitUntilMessageStored(page: Page, content: string): Promise<void> {
  await expect.poll(() => page.evaluate(valuesOf, "waiting")).toContainEqual(expect.objectContaining({ content }))
}

/** Runs in the page. Returns the values in a store of the client's database. */
async function valuesOf(store: string): Promise<unknown[]> {
  const completed = <Result>(request: IDBRequest<Result>) =>
    new Promise<Result>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  const [found] = await indexedDB.databases()
  const database = await completed(indexedDB.open(found!.name!))
  const values = await completed(database.transaction(store).objectStore(store).getAll())
  database.close()
  return values
}
