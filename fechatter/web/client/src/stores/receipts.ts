/** The read marks of the other members of the opened chats. */

import { defineStore } from "pinia"
import { shallowReactive } from "vue"
import { call } from "@/api/call"
import type { Chat, ChatReceipts, Receipt } from "@/api/nouns"
import { hasReceipts } from "@/state/receipts"
import { useLive } from "@/stores/live"

type Marks = ReadonlyMap<number, number>

const NONE: Marks = new Map()

export const useReceipts = defineStore("receipts", () => {
  const live = useLive()
  const chats = shallowReactive(new Map<number, Marks>())

  /** Follow the stream of a visit. */
  function begin(): void {
    live.follow({
      event(event) {
        if (event.type === "member.left") forget(event.chat_id, event.data.member.user_id)
      },
      reloaded: () => undefined,
      signal({ name, data }) {
        if (name === "receipt.moved" && chats.has(data.chat_id)) move(data.chat_id, data)
      },
    })
  }

  /** The highest number wins. */
  function move(chatId: number, { user_id, last_read_number }: Receipt): void {
    const marks = chats.get(chatId) ?? NONE
    if ((marks.get(user_id) ?? -1) < last_read_number) chats.set(chatId, new Map(marks).set(user_id, last_read_number))
  }

  function forget(chatId: number | null, userId: number): void {
    const marks = new Map(chats.get(chatId ?? 0))
    if (chatId !== null && marks.delete(userId)) chats.set(chatId, marks)
  }

  /** Load the marks of a chat that is shown. Marks that cannot be loaded are not worth a message. */
  async function load(chat: Chat): Promise<void> {
    if (!hasReceipts(chat)) return
    if (!chats.has(chat.id)) chats.set(chat.id, NONE)
    try {
      const { items } = await call<ChatReceipts>("GET", `/api/chat/${chat.id}/receipts`)
      items.forEach(item => move(chat.id, item))
    } catch {
      // Marks that move from now on are shown.
    }
  }

  return { begin, load, of: (chatId: number): Marks => chats.get(chatId) ?? NONE, reset: () => chats.clear() }
})
