/** Moves the person's read mark of a chat. */

import { call } from "@/api/call"
import type { Chat, ReadMark, Unread } from "@/api/nouns"
import { isUnclear } from "@/state/reads"
import { applyMarks, countedIn, readUpTo } from "@/state/world"
import { useLive } from "@/stores/live"

export class ReadMarks {
  private readonly live = useLive()
  /** The highest number to send, for each chat with a request under way. */
  private readonly wanted = new Map<number, number>()
  private readonly show: (chatId: number) => Promise<void>

  /** `show` loads a chat whose count is not certain. */
  constructor(show: (chatId: number) => Promise<void>) {
    this.show = show
  }

  /** Mark everything up to `number` as read. Each chat has one request at a time; the last number wins. */
  async markRead(id: number, number: number): Promise<void> {
    if (number <= (this.chat(id)?.last_read_number ?? Infinity) || (this.wanted.get(id) ?? 0) >= number) return
    const isRunning = this.wanted.has(id)
    this.wanted.set(id, number)
    if (isRunning) return
    try {
      for (let sent = 0; (this.wanted.get(id) ?? 0) > sent;) {
        sent = this.wanted.get(id) ?? 0
        await this.put(id, sent)
      }
    } catch {
      // The next look at the chat tries again. A failed read mark is not worth a message.
    } finally {
      this.wanted.delete(id)
    }
  }

  /** Mark a message and all later messages as unread, on every device. Throws Problem, Unreachable. */
  async markUnread(id: number, number: number): Promise<void> {
    const mark = await call<ReadMark>("POST", `/api/chat/${id}/unread`, { body: { number } })
    this.live.change(world => applyMarks(world, [mark]))
  }

  /** Returns the number of the first unread message, or null. Throws Problem, Unreachable. */
  async firstUnread(id: number): Promise<number | null> {
    const chat = this.chat(id)
    if (chat === undefined || chat.unread_count === 0) return null
    const next = chat.last_read_number + 1
    if (chat.last_number - chat.last_read_number === chat.unread_count) return next
    return (await call<Unread>("GET", `/api/chat/${id}/unread`)).first_unread_number
  }

  /** The revision keeps this from undoing "mark as unread" on another device or in another tab. */
  private async put(id: number, number: number): Promise<void> {
    const revision = this.chat(id)?.read_revision
    await call("PUT", `/api/chat/${id}/read`, { body: { number, revision } })
    const known = this.live.world && countedIn(this.live.world, id)
    if (!known || known.chat.read_revision !== revision) return
    this.live.change(world => readUpTo(world, id, number))
    if (isUnclear(known, number)) await this.show(id)
  }

  private chat(id: number): Chat | undefined {
    return this.live.world?.chats.get(id)
  }
}
