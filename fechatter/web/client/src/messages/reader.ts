/** The reader of the open chat: moves the read mark as they read, and the line of new messages while they look away. */

import { onBeforeUnmount, onMounted, ref, watch } from "vue"
import type { Chat } from "@/api/nouns"
import { useMessages } from "@/messages/store"
import { dividerAfter, isFollowing, sideOf, type View } from "@/messages/reading"

interface Reader {
  chat: () => Chat
  /** Look again: the window has the focus, or lost it. */
  look: () => void
  seen: (number: number) => void
}

/** As long as the list of messages lives. */
export function useReader({ chat, look, seen }: Reader) {
  const messages = useMessages()
  /** Where the first unread message is, as long as there is a way back to it. */
  const side = ref<"above" | "below" | null>(null)
  let wasFollowing = false
  /** Marked as unread: what is on the screen stays so until the chat is opened again or read to its end. */
  let isHeld = false
  let seenDivider: number | null = null

  function isAttended(): boolean {
    return document.visibilityState === "visible" && document.hasFocus()
  }

  /** This is on the screen. */
  function looked(view: View): void {
    const items = messages.timelines.get(chat().id)?.items ?? []
    const { divider, arrival } = messages
    const firstUnread = arrival?.kind === "unread" ? arrival.number : null
    wasFollowing = isFollowing({ items, mark: chat().last_read_number, firstUnread }, view, wasFollowing)
    if (divider !== null && sideOf(divider, items, view) === null && isAttended()) seenDivider = divider
    side.value = sideOf(wanted(), items, view)
    if (wasFollowing && !isHeld && isAttended() && view.last > chat().last_read_number) seen(view.last)
  }

  /** What follows this number is worth a way back: what was left out, or new messages that were not seen. */
  function wanted(): number | null {
    if (!wasFollowing && chat().unread_count > 0) return chat().last_read_number
    return messages.divider === seenDivider ? null : messages.divider
  }

  /** The screen shows another part of the chat at once: what lies between was not seen. */
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
