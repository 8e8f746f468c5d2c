/** The line below an own message with the people who have read up to it. */

import { computed, type ComputedRef, watch } from "vue"
import type { Chat, Message } from "@/api/nouns"
import { t } from "@/i18n"
import { list } from "@/i18n/format"
import { isAnswered, seenAt } from "@/state/receipts"
import { useLive } from "@/stores/live"
import { usePeople } from "@/stores/people"
import { useReceipts } from "@/stores/receipts"

/** More people than this are counted instead of named. */
const MAX_NAMES = 2

export interface Seen {
  text: string
  /** The names of all these people, or "" in a direct chat. */
  names: string
}

/** Returns the lines by the numbers of the messages. The marks are loaded again with each new connection. */
export function useSeen(chat: () => Chat, items: () => readonly Message[]): ComputedRef<Map<number, Seen>> {
  const live = useLive()
  const people = usePeople()
  const receipts = useReceipts()

  const me = () => live.world?.me.id ?? 0

  watch(
    () => live.isConnected,
    isConnected => isConnected && void receipts.load(chat()),
    { immediate: true },
  )

  /** A chat names only some of its members if there are many. */
  function isMember(id: number): boolean {
    const { members, member_count } = chat()
    return members.length < member_count || members.some(member => member.id === id)
  }

  function lineOf(number: number, ids: readonly number[]): Seen | null {
    if (chat().chat_type === "single")
      return isAnswered(items(), me(), number) ? null : { text: t("messages.seen"), names: "" }
    const all = ids.map(id => people.byId(id)?.fullname ?? "…")
    const names = list(all)
    if (ids.length >= chat().member_count - 1) return { text: t("messages.seenByAll"), names }
    if (ids.length > MAX_NAMES) return { text: t("messages.seenByCount", { count: ids.length }), names }
    return { text: t("messages.seenBy", { names }), names }
  }

  return computed(() => {
    const lines = new Map<number, Seen>()
    for (const [number, ids] of seenAt(items(), me(), receipts.of(chat().id))) {
      const members = ids.filter(isMember)
      const line = members.length > 0 ? lineOf(number, members) : null
      if (line !== null) lines.set(number, line)
    }
    return lines
  })
}
