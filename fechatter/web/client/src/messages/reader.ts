/** The reader of the open chat: moves the read mark as they read, and the line of new messages while they look away. */

import { onBeforeUnmount, onMounted, ref, watch } from "vue"
import type { Chat } from "@/api/nouns"
import { useMessages } from "@/stores/messages"
import { dividerAfter, isFollowing, sideOf, type View } from "@/messages/reading"

interface Reader {
  chat: () => Chat
  /** Update after the window gained or lost the focus. */
  look: () => void
  seen: (number: number) => void
}

/** Exists as long as the message list. */
export function useReader({ chat, look, seen }: Reader) {
  const messages = useMessages()
  /** The first unread message's position, while the way back to it is offered. */
  const side = ref<"above" | "below" | null>(null)
  let wasFollowing = false
  /** After "mark as unread", messages on the screen stay unread until the chat is opened again or read to its end. */
  let isHeld = false
  let seenDivider: number | null = null

  function isAttended(): boolean {
    return document.visibilityState === "visible" && document.hasFocus()
  }

  /** Report the messages on the screen. */
  function looked(view: View): void {
    const items = messages.timelines.get(chat().id)?.items ?? []
    const { divider, arrival } = messages
    const firstUnread = arrival?.kind === "unread" ? arrival.number : null
    wasFollowing = isFollowing({ items, mark: chat().last_read_number, firstUnread }, view, wasFollowing)
    if (divider !== null && sideOf(divider, items, view) === null && isAttended()) seenDivider = divider
    side.value = sideOf(wanted(), items, view)
    if (wasFollowing && !isHeld && isAttended() && view.last > chat().last_read_number) seen(view.last)
  }

  /** A way back is offered to the messages after this number: skipped messages, or new messages that were not seen. */
  function wanted(): number | null {
    if (!wasFollowing && chat().unread_count > 0) return chat().last_read_number
    return messages.divider === seenDivider ? null : messages.divider
  }

  /** The screen jumped to another part of the chat; the messages between were not seen. */
  function jumped(): void {
    wasFollowing = false
  }

  /** Everything counts as read, seen or not. */
  function readAll(): void {
    isHeld = false
    messages.divider = null
    side.value = null
    seen(chat().last_number)
  }

  watch(
    () => [chat().last_number, chat().unread_count] as const,
    ([last], [before]) => {
      if (chat().unread_count === 0) isHeld = false
      if (last > before) messages.divider = dividerAfter(messages.divider, chat(), isAttended())
    },
  )
  watch(
    () => chat().read_revision,
    (now, before) => {
      if (now <= before) return
      isHeld = true
      messages.divider = chat().last_read_number
      seenDivider = messages.divider
    },
  )
  watch(
    () => messages.arrival,
    () => {
      isHeld = false
      seenDivider = null
    },
  )

  onMounted(() => {
    addEventListener("focus", look)
    document.addEventListener("visibilitychange", look)
  })
  onBeforeUnmount(() => {
    removeEventListener("focus", look)
    document.removeEventListener("visibilitychange", look)
  })
  return { side, isAttended, looked, jumped, readAll }
}
