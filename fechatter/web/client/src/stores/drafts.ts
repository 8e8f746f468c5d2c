/** Unsent texts, one for each chat; all tabs of a person share them. */

import { defineStore } from "pinia"
import { reactive } from "vue"
import type { Database } from "@/offline/database"
import { type Channel, openChannel } from "@/platform/channel"
import { bound } from "@/stores/bound"

interface Draft {
  chatId: number
  text: string
}

class Drafts {
  readonly texts = reactive(new Map<number, string>())
  /** Chats whose draft has changed since it was stored. */
  private readonly changed = new Set<number>()
  private readonly saving = new Set<number>()
  private database: Database | null = null
  private tabs: Channel | null = null

  /** Load the drafts of earlier visits. Without a database, drafts live as long as the page. */
  async begin(name: string, database: Database | null): Promise<void> {
    this.database = database
    this.tabs = openChannel(`${name}-drafts`)
    this.tabs.onmessage = (message: MessageEvent<Draft>) => this.set(message.data)
    try {
      const stored = [database?.getAllKeys("drafts"), database?.getAll("drafts")] as const
      const [chatIds = [], texts = []] = await Promise.all(stored)
      chatIds.forEach((chatId, index) => this.set({ chatId, text: texts[index] ?? "" }))
    } catch (error) {
      console.warn("Drafts of earlier visits cannot be read:", error)
    }
  }

  of(chatId: number): string {
    return this.texts.get(chatId) ?? ""
  }

  put(chatId: number, text: string): void {
    this.set({ chatId, text })
    this.changed.add(chatId)
    void this.save(chatId)
  }

  /** Prepare for another person. */
  reset(): void {
    this.tabs?.close()
    this.tabs = null
    this.changed.clear()
    this.texts.clear()
    this.database = null
  }

  private set({ chatId, text }: Draft): void {
    if (text === "") this.texts.delete(chatId)
    else this.texts.set(chatId, text)
  }

  /** Saves at once, so that a reload loses nothing. Text that is typed meanwhile is part of the next save. */
  private async save(chatId: number): Promise<void> {
    if (this.saving.has(chatId)) return
    this.saving.add(chatId)
    try {
      while (this.changed.delete(chatId)) {
        this.tabs?.postMessage({ chatId, text: this.of(chatId) } satisfies Draft)
        await this.store(chatId)
      }
    } catch {
      // If the browser stores nothing, the draft lives as long as the page.
    } finally {
      this.saving.delete(chatId)
    }
  }

  private async store(chatId: number): Promise<void> {
    const text = this.texts.get(chatId)
    if (text === undefined) await this.database?.delete("drafts", chatId)
    else await this.database?.put("drafts", text, chatId)
  }
}

export const useDrafts = defineStore("drafts", () => {
  const drafts = new Drafts()
  return { texts: drafts.texts, ...bound(drafts, ["begin", "of", "put", "reset"]) }
})
