/** The loaded messages of the chats that were opened, and the messages that are being sent. */

import { defineStore } from "pinia"
import type { OutboxStorage } from "@/offline/outboxStorage"
import { bound } from "@/stores/bound"
import { useLive } from "@/stores/live"
import { messageEvents } from "@/stores/messageEvents"
import { OpenChat } from "@/stores/openChat"
import { readerPosition } from "@/stores/readerPosition"
import { Sending } from "@/stores/sending"
import { Timelines } from "@/stores/timelines"

export const useMessages = defineStore("messages", () => {
  const live = useLive()
  const position = readerPosition()
  const timelines = new Timelines(position)
  const chat = new OpenChat(position, timelines)
  const sending = new Sending({ take: message => timelines.take(message), reached: () => live.wake() })

  async function begin(name: string, storage: OutboxStorage): Promise<void> {
    live.follow(messageEvents({ position, timelines, chat, sending }))
    await sending.begin(name, storage)
  }

  /** The server can be reached again: send and load what failed. */
  function wake(): void {
    sending.wake()
    chat.wake()
  }

  /** Prepare for another person. */
  function reset(): void {
    sending.reset()
    timelines.clear()
    chat.leave()
  }

  return {
    ...{ openId: position.openId, isReaderAtEnd: position.isAtEnd, divider: position.divider },
    ...{ timelines: timelines.byChat, loading: timelines.loading, problems: timelines.problems },
    ...{ arrival: chat.arrivals.last, isUnderWay: chat.arrivals.isUnderWay, waiting: sending.waiting },
    ...bound(timelines, ["loadOlder", "loadNewer", "show", "newestPages"]),
    ...bound(chat, ["open", "toNewest", "toFirstUnread", "reload"]),
    ...bound(sending, ["waitingFor", "send", "retry", "discard", "editWaiting", "edit", "remove"]),
    ...{ begin, wake, reset },
  }
})
