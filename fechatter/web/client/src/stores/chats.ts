/** The person's chats, and the actions on them. */

import { defineStore } from "pinia"
import { computed } from "vue"
import { call, callWhole } from "@/api/call"
import { seqOf } from "@/api/cursor"
import type { Chat, ChatType, NamedChat } from "@/api/nouns"
import { toast } from "@/components/toasts"
import { t } from "@/i18n"
import { badgeTotal } from "@/state/attention"
import { applyChat } from "@/state/world"
import { bound } from "@/stores/bound"
import { chatRequests } from "@/stores/chatRequests"
import { useLive } from "@/stores/live"
import { ReadMarks } from "@/stores/readMarks"

export interface NewChat {
  chat_type: ChatType
  name?: string
  description?: string
  members: number[]
}

export type ChatChange = Partial<Pick<Chat, "name" | "description">> & { archived?: boolean }

export const useChats = defineStore("chats", () => {
  const live = useLive()
  const marks = new ReadMarks(show)
  const list = computed(() => [...(live.world?.chats.values() ?? [])])

  return {
    list,
    /** The number in the title. */
    badgeTotal: computed(() => badgeTotal(list.value)),
    byId: (id: number): Chat | undefined => live.world?.chats.get(id),
    create,
    change,
    join,
    prefer,
    ...chatRequests,
    ...bound(marks, ["markRead", "markUnread", "firstUnread"]),
  }
})

/**
 * Create a chat, or find the direct chat with the same person. Returns the chat and whether it is new.
 * Throws Problem, Unreachable.
 */
async function create(wanted: NewChat, key: string): Promise<{ chat: Chat; isNew: boolean }> {
  const { body, status } = await callWhole<NamedChat>("POST", "/api/chat", {
    body: { ...wanted, idempotency_key: key },
  })
  warnOfSimilarName(body)
  await show(body.id)
  return { chat: body, isNew: status === 201 }
}

async function change(id: number, wanted: ChatChange): Promise<void> {
  warnOfSimilarName(await call<NamedChat>("PATCH", `/api/chat/${id}`, { body: wanted }))
  await show(id)
}

async function join(id: number): Promise<Chat> {
  const chat = await call<Chat>("POST", `/api/chat/${id}/join`)
  await show(id)
  return chat
}

/** Star or mute a chat; only this person sees it. */
async function prefer(id: number, wanted: Partial<Pick<Chat, "starred" | "muted">>): Promise<void> {
  await call("PATCH", `/api/chat/${id}/preferences`, { body: wanted })
  await show(id)
}

/** Show a warning if an accepted name looks like the name of another channel. */
function warnOfSimilarName(named: NamedChat): void {
  const similar = named.warnings?.find(warning => warning.code === "confusable_name")
  if (similar !== undefined) toast({ text: t("chats.looksLike", { name: similar.name }), kind: "info" })
}

/** Load a chat that a response named, so that it appears before its event arrives. */
async function show(id: number): Promise<void> {
  const { body, cursor } = await callWhole<Chat>("GET", `/api/chat/${id}`)
  useLive().change(world => applyChat(world, body, seqOf(cursor)))
}
