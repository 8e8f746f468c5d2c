/** Decides which messages notify the person. Pure. */

import type { MessageEvent } from "@/state/events"
import type { World } from "@/state/world"

/** Older messages, which arrive after an interruption, do not notify; the sidebar shows them. */
const NEW_MS = 60_000

/** Other people's messages notify: direct ones, in a group, or mentions in a channel; never in a muted chat. */
export function isWorthNotice(event: MessageEvent, world: World, nowMs: number): boolean {
  const { message } = event.data
  const chat = world.chats.get(event.chat_id)
  if (chat === undefined || chat.archived_at !== null || chat.muted || message.sender_id === world.me.id) return false
  if (nowMs - Date.parse(event.at) > NEW_MS) return false
  return chat.chat_type === "single" || chat.chat_type === "group" || mentions(message.content, world.me.handle)
}

/** Whether a text contains `@handle` as a whole word. */
export function mentions(content: string, handle: string): boolean {
  const text = content.toLowerCase()
  const wanted = `@${handle.toLowerCase()}`
  for (let at = text.indexOf(wanted); handle !== "" && at >= 0; at = text.indexOf(wanted, at + 1)) {
    const [before, after] = [text.charAt(at - 1), text.slice(at + wanted.length)]
    if (!/[\p{L}\p{N}]/u.test(before) && !/^[.\-_]*[\p{L}\p{N}]/u.test(after)) return true
  }
  return false
}
