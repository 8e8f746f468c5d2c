/** What was written and not sent, kept for each chat. */

import { defineStore } from "pinia"
import { reactive } from "vue"
import type { Database } from "@/offline/database"

const KEEP_MS = 400

export const useDrafts = defineStore("drafts", () => {
  const drafts = reactive(new Map<number, string>())
  const timers = new Map<number, ReturnType<typeof setTimeout>>()
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
    clearTimeout(timers.get(chatId))
    timers.set(
      chatId,
      setTimeout(() => void keep(chatId), KEEP_MS),
    )
  }

  async function keep(chatId: number): Promise<void> {
    timers.delete(chatId)
    const text = drafts.get(chatId)
    if (text === undefined) await database?.delete("drafts", chatId)
    else await database?.put("drafts", text, chatId)
  }

  /** Ready for another person. */
  function reset(): void {
    timers.forEach(timer => clearTimeout(timer))
    timers.clear()
    drafts.clear()
    database = null
  }

  return { drafts, begin, of, put, reset }
})
