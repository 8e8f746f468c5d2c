/** What was written and not sent, kept for each chat. */

import { defineStore } from "pinia"
import { reactive } from "vue"
import type { Database } from "@/offline/database"

export const useDrafts = defineStore("drafts", () => {
  const drafts = reactive(new Map<number, string>())
  const changed = new Set<number>()
  const keeping = new Set<number>()
  let database: Database | null = null

  /** Take up what earlier visits left; without a database drafts live as long as the page. */
  async function begin(kept: Database | null): Promise<void> {
    database = kept
    if (kept === null) return
    const [chatIds, texts] = await Promise.all([kept.getAllKeys("drafts"), kept.getAll("drafts")])
    chatIds.forEach((chatId, place) => drafts.set(chatId, texts[place] ?? ""))
  }

  function of(chatId: number): string {
    return drafts.get(chatId) ?? ""
  }

  function put(chatId: number, text: string): void {
    if (text === "") drafts.delete(chatId)
    else drafts.set(chatId, text)
    changed.add(chatId)
    void keep(chatId)
  }

  /** At once, so that a reload loses nothing; what is typed while one is kept goes together with the next. */
  async function keep(chatId: number): Promise<void> {
    if (keeping.has(chatId)) return
    keeping.add(chatId)
    try {
      while (changed.delete(chatId)) await store(chatId)
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
    changed.clear()
    drafts.clear()
    database = null
  }

  return { drafts, begin, of, put, reset }
})
