/** Who is typing in each chat, and the signals that this person types. */

import { defineStore } from "pinia"
import { shallowReactive } from "vue"
import { call } from "@/api/call"
import type { Signal } from "@/api/signals"
import type { DurableEvent } from "@/state/events"
import { NOBODY, nextEndMs, stillTyping, type Typing, typists, withoutPerson, withStarted } from "@/state/typing"
import { bound } from "@/stores/bound"
import { useLive } from "@/stores/live"

/** The server passes on one signal per chat in this time. */
const SEND_EVERY_MS = 3000

export const useTyping = defineStore("typing", () => bound(new Typists(), ["begin", "inChat", "typed", "reset"]))

class Typists {
  private readonly live = useLive()
  private readonly chats = shallowReactive(new Map<number, Typing>())
  private readonly sentMs = new Map<number, number>()
  private timer: ReturnType<typeof setTimeout> | undefined

  /** Follow the stream of a visit. */
  begin(): void {
    this.live.follow({
      event: event => this.apply(event),
      reloaded: () => undefined,
      signal: received => this.take(received),
    })
  }

  /** Returns the people who type in a chat, or "many". */
  inChat(chatId: number): number[] | "many" {
    return typists(this.chats.get(chatId) ?? NOBODY, this.live.world?.me.id ?? 0)
  }

  /** The person has typed in a chat. A lost signal is not worth a message. */
  typed(chatId: number): void {
    const now = Date.now()
    if (!this.live.isConnected || now - (this.sentMs.get(chatId) ?? -Infinity) < SEND_EVERY_MS) return
    this.sentMs.set(chatId, now)
    if (!this.live.command({ type: "typing", chat_id: chatId }))
      void call("POST", `/api/chat/${chatId}/typing`).catch(() => undefined)
  }

  /** Prepare for another person. */
  reset(): void {
    clearTimeout(this.timer)
    this.chats.clear()
    this.sentMs.clear()
  }

  private take({ name, data }: Signal): void {
    if (name !== "typing.started") return
    this.chats.set(data.chat_id, withStarted(this.chats.get(data.chat_id) ?? NOBODY, data, Date.now()))
    this.plan()
  }

  private apply(event: DurableEvent): void {
    if (event.chat_id === null) return
    if (event.type === "message.created") this.end(event.chat_id, event.data.message.sender_id)
    else if (event.type === "member.left") this.end(event.chat_id, event.data.member.user_id)
  }

  private end(chatId: number, userId: number): void {
    const typing = this.chats.get(chatId)
    if (typing?.people.has(userId)) this.chats.set(chatId, withoutPerson(typing, userId))
  }

  /** Remove entries whose time is over, and wait for the next one. */
  private plan(): void {
    clearTimeout(this.timer)
    const now = Date.now()
    for (const [chatId, typing] of this.chats) {
      const left = stillTyping(typing, now)
      if (left === null) this.chats.delete(chatId)
      else this.chats.set(chatId, left)
    }
    const next = Math.min(...[...this.chats.values()].map(nextEndMs))
    if (next !== Infinity) this.timer = setTimeout(() => this.plan(), next - now)
  }
}
