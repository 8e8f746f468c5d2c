/** The reader of the open chat: moves the read mark as they read, and the line of new messages while they look away. */

import { onBeforeUnmount, onMounted, ref, watch } from "vue"
import type { Chat } from "@/api/nouns"
import { dividerAfter, isFollowing, sideOf, type View } from "@/messages/reading"
import { useMessages } from "@/stores/messages"

interface Options {
  chat: () => Chat
  /** Measures the screen again after the window gained or lost the focus. */
  look: () => void
  seen: (number: number) => void
}

/** Exists as long as the message list. */
export function useReader({ chat, look, seen }: Options): Reader {
  const reader = new Reader(chat, seen)
  const messages = useMessages()
  watch(
    () => [chat().last_number, chat().unread_count] as const,
    ([last], [before]) => reader.countsChanged(last > before),
  )
  watch(
    () => chat().read_revision,
    (now, before) => now > before && reader.markedUnread(),
  )
  watch(
    () => messages.arrival,
    () => reader.arrived(),
  )
  onMounted(() => {
    addEventListener("focus", look)
    document.addEventListener("visibilitychange", look)
  })
  onBeforeUnmount(() => {
    removeEventListener("focus", look)
    document.removeEventListener("visibilitychange", look)
  })
  return reader
}

export class Reader {
  /** The direction to the first unread message, while a button leads there. */
  readonly side = ref<"above" | "below" | null>(null)
  private readonly messages = useMessages()
  private readonly chat: () => Chat
  private readonly seen: (number: number) => void
  private wasFollowing = false
  /** After "mark as unread", messages on the screen stay unread until the chat is opened again or read to its end. */
  private isHeld = false
  private seenDivider: number | null = null

  constructor(chat: () => Chat, seen: (number: number) => void) {
    this.chat = chat
    this.seen = seen
  }

  isAttended(): boolean {
    return document.visibilityState === "visible" && document.hasFocus()
  }

  /** Report the messages on the screen. */
  looked(view: View): void {
    const chat = this.chat()
    const items = this.messages.timelines.get(chat.id)?.items ?? []
    const { divider, arrival } = this.messages
    const firstUnread = arrival?.kind === "unread" ? arrival.number : null
    this.wasFollowing = isFollowing({ items, mark: chat.last_read_number, firstUnread }, view, this.wasFollowing)
    if (divider !== null && sideOf(divider, items, view) === null && this.isAttended()) this.seenDivider = divider
    this.side.value = sideOf(this.unseenAfter(), items, view)
    const isReading = this.wasFollowing && !this.isHeld && this.isAttended()
    if (isReading && view.last > chat.last_read_number) this.seen(view.last)
  }

  /** The screen jumped to another part of the chat; the messages between were not seen. */
  jumped(): void {
    this.wasFollowing = false
  }

  /** Everything counts as read, seen or not. */
  readonly readAll = (): void => {
    this.isHeld = false
    this.messages.divider = null
    this.side.value = null
    this.seen(this.chat().last_number)
  }

  countsChanged(hasGrown: boolean): void {
    if (this.chat().unread_count === 0) this.isHeld = false
    if (hasGrown) this.messages.divider = dividerAfter(this.messages.divider, this.chat(), this.isAttended())
  }

  markedUnread(): void {
    this.isHeld = true
    this.messages.divider = this.chat().last_read_number
    this.seenDivider = this.messages.divider
  }

  arrived(): void {
    this.isHeld = false
    this.seenDivider = null
  }

  /** A button leads to the messages after this number: skipped messages, or new messages that were not seen. */
  private unseenAfter(): number | null {
    const chat = this.chat()
    if (!this.wasFollowing && chat.unread_count > 0) return chat.last_read_number
    return this.messages.divider === this.seenDivider ? null : this.messages.divider
  }
}
