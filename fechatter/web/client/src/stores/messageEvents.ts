/** Applies events to the loaded messages. */

import type { DurableEvent } from "@/state/events"
import { type Follower, useLive } from "@/stores/live"
import type { OpenChat } from "@/stores/openChat"
import type { ReaderPosition } from "@/stores/readerPosition"
import type { Sending } from "@/stores/sending"
import type { Timelines } from "@/stores/timelines"

interface Parts {
  position: ReaderPosition
  timelines: Timelines
  chat: OpenChat
  sending: Sending
}

export function messageEvents({ position, timelines, chat, sending }: Parts): Follower {
  const live = useLive()

  function apply(event: DurableEvent): void {
    if (event.chat_id === null) return
    const me = live.world?.me.id
    if (event.type === "message.created" && event.data.message.sender_id === me) sending.echo(event.data.message)
    if ("message" in event.data) timelines.take(event.data.message)
    else if (event.type === "chat.deleted") timelines.forget(event.chat_id)
    else if ("member" in event.data && event.data.member.user_id === me) membershipChanged(event)
  }

  /** When the person joins or leaves a chat, its loaded messages are dropped. */
  function membershipChanged({ type, chat_id }: DurableEvent & { chat_id: number }): void {
    if (type === "member.role_changed") return
    timelines.forget(chat_id)
    if (type === "member.joined" && position.openId.value === chat_id) void chat.open(chat_id)
  }

  return {
    event: apply,
    reloaded: () => chat.reloaded(chatId => live.world?.chats.has(chatId) ?? false),
  }
}
