/** The open chat: brings its reader to the end, to a message, or to the first unread message. */

import { setLastChat } from "@/offline/lastChat"
import { Arrivals } from "@/stores/arrival"
import { useChats } from "@/stores/chats"
import type { ReaderPosition } from "@/stores/readerPosition"
import type { Timelines } from "@/stores/timelines"

export class OpenChat {
  readonly arrivals: Arrivals
  private readonly chats = useChats()
  private readonly position: ReaderPosition
  private readonly timelines: Timelines

  constructor(position: ReaderPosition, timelines: Timelines) {
    this.position = position
    this.timelines = timelines
    this.arrivals = new Arrivals({
      has: (chatId, number) => timelines.has(chatId, number),
      loadEnd: chatId => timelines.loadEnd(chatId),
      loadAround: (chatId, number) => timelines.loadAround(chatId, number),
      firstUnread: chatId => this.chats.firstUnread(chatId).catch(() => null),
      goingTo: place => {
        position.isAtEnd.value = place.kind === "end"
      },
    })
  }

  /** Open a chat at a message's number, or at its first unread message, or at its end. */
  async open(chatId: number, around?: number): Promise<void> {
    const { openId } = this.position
    if (openId.value !== chatId) {
      this.timelines.putAside(openId.value)
      this.arrivals.leave()
    }
    openId.value = chatId
    setLastChat(chatId)
    const known = this.timelines.byChat.get(chatId)
    if (known) this.timelines.store(chatId, known)
    else this.timelines.storeEmpty(chatId)
    await this.bring(chatId, around ?? null)
  }

  /** Bring the reader to the newest messages, whether unread messages before them were seen or not. */
  async toNewest(chatId: number): Promise<void> {
    this.arrivals.stop()
    this.position.isAtEnd.value = true
    await this.timelines.loadEnd(chatId)
  }

  /** Bring the reader to the first unread message or, if all have been read meanwhile, to the line of new messages. */
  async toFirstUnread(chatId: number): Promise<void> {
    const divider = this.position.divider.value
    if (this.unreadCount(chatId) > 0) await this.bring(chatId, null)
    else if (divider !== null) await this.arrivals.bring(chatId, divider + 1)
  }

  /** Retry a failed load. */
  reload(chatId: number): void {
    if (!this.arrivals.again()) void this.timelines.loadNewest(chatId)
  }

  /** After a full reload, loaded messages may have holes. The open chat is loaded again, other chats when opened. */
  reloaded(isMember: (chatId: number) => boolean): void {
    const openId = this.position.openId.value
    const open = openId === null ? undefined : this.timelines.byChat.get(openId)
    for (const chatId of [...this.timelines.byChat.keys()])
      if (chatId !== openId || !isMember(chatId)) this.timelines.forget(chatId)
    if (open === undefined || !isMember(open.chatId) || this.arrivals.again()) return
    if (this.position.isAtEnd.value && this.unreadCount(open.chatId) > 0) return void this.reopen(open.chatId)
    const middle = open.hasNewer ? open.items[Math.floor(open.items.length / 2)] : undefined
    if (middle) void this.timelines.loadAround(open.chatId, middle.number)
    else void this.timelines.loadNewest(open.chatId)
  }

  /** The server can be reached again: retry a failed load of the open chat. */
  wake(): void {
    const id = this.position.openId.value
    if (id === null || !this.timelines.problems.has(id) || this.arrivals.again()) return
    if (this.timelines.byChat.get(id)?.hasNewer) this.timelines.problems.delete(id)
    else void this.timelines.loadNewest(id)
  }

  /** No chat is open. */
  leave(): void {
    this.position.openId.value = null
    this.arrivals.leave()
  }

  private async bring(chatId: number, number: number | null): Promise<void> {
    const chat = this.chats.byId(chatId)
    const hasUnread = chat !== undefined && chat.unread_count > 0
    this.position.divider.value = hasUnread ? chat.last_read_number : null
    this.position.isAtEnd.value = number === null && !hasUnread
    await this.arrivals.bring(chatId, number)
  }

  /**
   * Messages that arrived without a connection are new. The reader starts at the first one, as when opening the chat.
   */
  private async reopen(chatId: number): Promise<void> {
    this.timelines.forget(chatId)
    this.timelines.storeEmpty(chatId)
    await this.bring(chatId, null)
  }

  private unreadCount(chatId: number): number {
    return this.chats.byId(chatId)?.unread_count ?? 0
  }
}
