/** The chats one is in, and what can be done with them. */

import { defineStore } from "pinia"
import { computed } from "vue"
import { all, call, callWhole } from "@/api/call"
import type { Channel, Chat, ChatType, Member, NamedChat, ReadMark, Unread } from "@/api/nouns"
import { totalForMe } from "@/state/attention"
import { toast } from "@/components/toasts"
import { t } from "@/i18n"
import { seqOf } from "@/api/cursor"
import { useLive } from "@/stores/live"
import { isUnclear } from "@/state/reads"
import { countedIn, read, readUpTo, takeChat } from "@/state/world"

export interface NewChat {
  chat_type: ChatType
  name?: string
  description?: string
  members: number[]
}

export type ChatChange = Partial<Pick<Chat, "name" | "description">> & { archived?: boolean }

export const useChats = defineStore("chats", () => {
  const live = useLive()
  const marking = new Map<number, number>()

  const list = computed(() => [...(live.world?.chats.values() ?? [])])
  /** The number in the title. */
  const forMe = computed(() => totalForMe(list.value))

  function byId(id: number): Chat | undefined {
    return live.world?.chats.get(id)
  }

  /** The chat and whether it is new: a direct chat of two exists but once. Throws Problem, Unreachable. */
  async function create(wanted: NewChat, key: string): Promise<{ chat: Chat; isNew: boolean }> {
    const answer = await callWhole<NamedChat>("POST", "/api/chat", { body: { ...wanted, idempotency_key: key } })
    warnOf(answer.body)
    await show(answer.body.id)
    return { chat: answer.body, isNew: answer.status === 201 }
  }

  async function change(id: number, wanted: ChatChange): Promise<void> {
    warnOf(await call<NamedChat>("PATCH", `/api/chat/${id}`, { body: wanted }))
    await show(id)
  }

  /** Show a warning if an accepted name looks like another channel's. */
  function warnOf(named: NamedChat): void {
    const alike = named.warnings?.find(warning => warning.code === "confusable_name")
    if (alike !== undefined) toast({ text: t("chats.looksLike", { name: alike.name }), kind: "info" })
  }

  async function remove(id: number): Promise<void> {
    await call("DELETE", `/api/chat/${id}`)
  }

  async function join(id: number): Promise<Chat> {
    const chat = await call<Chat>("POST", `/api/chat/${id}/join`)
    await show(id)
    return chat
  }

  async function leave(id: number): Promise<void> {
    await call("POST", `/api/chat/${id}/leave`)
  }

  /** Public channels of the workspace, joined or not. */
  async function channels(query: string): Promise<Channel[]> {
    return all<Channel>(`/api/channels?q=${encodeURIComponent(query)}`, 200)
  }

  /** A page of those who are in it, by id, and where the next one begins. */
  async function members(id: number, next: string | null): Promise<{ items: Member[]; next: string | null }> {
    const cursor = next === null ? "" : `&cursor=${encodeURIComponent(next)}`
    return call("GET", `/api/chat/${id}/members?limit=100${cursor}`)
  }

  async function addMembers(id: number, userIds: number[]): Promise<void> {
    await call("POST", `/api/chat/${id}/members`, { body: { members: userIds } })
  }

  async function removeMember(id: number, userId: number): Promise<void> {
    await call("DELETE", `/api/chat/${id}/members/${userId}`)
  }

  async function transfer(id: number, userId: number): Promise<void> {
    await call("PATCH", `/api/chat/${id}/members/${userId}`, { body: { role: "owner" } })
  }

  /** Star or mute a chat; only this person sees it. */
  async function prefer(id: number, wanted: Partial<Pick<Chat, "starred" | "muted">>): Promise<void> {
    await call("PATCH", `/api/chat/${id}/preferences`, { body: wanted })
    await show(id)
  }

  /** Everything up to `number` was seen. One request a chat at a time; the last number wins. */
  async function markRead(id: number, number: number): Promise<void> {
    if (number <= (byId(id)?.last_read_number ?? Infinity) || (marking.get(id) ?? 0) >= number) return
    const isRunning = marking.has(id)
    marking.set(id, number)
    if (isRunning) return
    try {
      for (let sent = 0; (marking.get(id) ?? 0) > sent;) {
        sent = marking.get(id) ?? 0
        await putMark(id, sent)
      }
    } catch {
      // The next glance tries again; a mark is not worth a word.
    } finally {
      marking.delete(id)
    }
  }

  /** The revision keeps this from undoing "mark as unread" on another device or in another tab. */
  async function putMark(id: number, number: number): Promise<void> {
    const revision = byId(id)?.read_revision
    await call("PUT", `/api/chat/${id}/read`, { body: { number, revision } })
    const known = live.world && countedIn(live.world, id)
    if (!known || known.chat.read_revision !== revision) return
    live.change(world => readUpTo(world, id, number))
    if (isUnclear(known, number)) await show(id)
  }

  /** Mark a message and all later messages as unread, on every device. Throws Problem, Unreachable. */
  async function markUnread(id: number, number: number): Promise<void> {
    const mark = await call<ReadMark>("POST", `/api/chat/${id}/unread`, { body: { number } })
    live.change(world => read(world, [mark]))
  }

  /** Returns the number of the first unread message, or null. Throws Problem, Unreachable. */
  async function firstUnread(id: number): Promise<number | null> {
    const chat = byId(id)
    if (chat === undefined || chat.unread_count === 0) return null
    const next = chat.last_read_number + 1
    if (chat.last_number - chat.last_read_number === chat.unread_count) return next
    return (await call<Unread>("GET", `/api/chat/${id}/unread`)).first_unread_number
  }

  /** Show a chat at once that an answer told of, without waiting for its event. */
  async function show(id: number): Promise<void> {
    const answer = await callWhole<Chat>("GET", `/api/chat/${id}`)
    live.change(world => takeChat(world, answer.body, seqOf(answer.cursor)))
  }

  return {
    list,
    forMe,
    byId,
    create,
    change,
    remove,
    join,
    leave,
    channels,
    members,
    addMembers,
    removeMember,
    transfer,
    markRead,
    markUnread,
    firstUnread,
    prefer,
  }
})
