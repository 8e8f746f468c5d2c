/** Unsent texts, one for each chat; all tabs of a person share them. */

import { defineStore } from "pinia"
import { reactive } from "vue"
import type { Database } from "@/offline/database"
import { openChannel, type Channel } from "@/platform/channel"

interface Draft {
  chatId: number
  text: string
}

export const useDrafts = defineStore("drafts", () => {
  const drafts = reactive(new Map<number, string>())
  const changed = new Set<number>()
  const keeping = new Set<number>()
  let database: Database | null = null
  let tabs: Channel | null = null

  /** Take up what earlier visits left; without a database drafts live as long as the page. */
  async function begin(name: string, kept: Database | null): Promise<void> {
    database = kept
    tabs = openChannel(`${name}-drafts`)
    tabs.onmessage = (message: MessageEvent<Draft>) => set(message.data)
    try {
      const [chatIds = [], texts = []] = await Promise.all([kept?.getAllKeys("drafts"), kept?.getAll("drafts")])
      chatIds.forEach((chatId, place) => set({ chatId, text: texts[place] ?? "" }))
    } catch (error) {
      console.warn("Drafts of earlier visits cannot be read:", error)
    }
  }

  function of(chatId: number): string {
    return drafts.get(chatId) ?? ""
  }

  function put(chatId: number, text: string): void {
    set({ chatId, text })
    changed.add(chatId)
    void keep(chatId)
  }

  function set({ chatId, text }: Draft): void {
    if (text === "") drafts.delete(chatId)
    else drafts.set(chatId, text)
  }

  /** At once, so that a reload loses nothing; what is typed while one is kept goes together with the next. */
  async function keep(chatId: number): Promise<void> {
    if (keeping.has(chatId)) return
    keeping.add(chatId)
    try {
      while (changed.delete(chatId)) {
        tabs?.postMessage({ chatId, text: of(chatId) } satisfies Draft)
        await store(chatId)
      }
    } catch {
      // If the browser stores nothing, the draft lives as long as the page.
    } finally {
      keeping.delete(chatId)
    }
  }

  async function store(chatId: number): Promise<void> {
    const text = drafts.get(chatId)
    if (text === undefined) await database?.delete("drafts", chatId)
    else await database?.put("drafts", text, chatId)
  }

  /** Ready for another person. */
  function reset(): void {
    tabs?.close()
    tabs = null
    changed.clear()
    drafts.clear()
    database = null
  }

  return { drafts, begin, of, put, reset }
})
