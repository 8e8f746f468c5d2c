/** What tells of new messages outside the page: desktop notifications, the count in the title, the tab's picture. */

import { onScopeDispose, watch, watchEffect } from "vue"
import { useRouter } from "vue-router"
import type { Chat } from "@/api/nouns"
import { isLoud } from "@/state/attention"
import { title } from "@/state/names"
import { useChats } from "@/stores/chats"
import { t } from "@/i18n"
import type { DurableEvent } from "@/state/events"
import { useLive } from "@/stores/live"
import type { World } from "@/state/world"
import { brief } from "@/messages/announcement"
import { useMessages } from "@/stores/messages"
import { showNotification, standing } from "@/platform/notifications"
import { preferences } from "@/preferences/preferences"
import { goodMoment } from "@/shell/offer"

/** A message that is read meanwhile, in another tab or on another device, is not told of. */
const READ_MS = 1500
/** What comes after a pause is seen in the list; only what is new is told of. */
const NEW_MS = 60_000
const PICTURES = { quiet: "/static/icon.svg", unread: "/static/icon-unread.svg" }

type MessageCreated = Extract<DurableEvent, { type: "message.created" | "message.edited" | "message.deleted" }>

/** As long as the component lives that uses it. */
export function useNotices(): void {
  const live = useLive()
  const messages = useMessages()
  const router = useRouter()
  const timers = new Set<ReturnType<typeof setTimeout>>()
  const shown = new Map<number, Notification>()

  const leave = live.follow({ event: heard, reloaded: () => undefined })

  function heard(event: DurableEvent): void {
    if (event.type !== "message.created" || live.world === null) return
    if (isMomentForOffer(event, live.world)) goodMoment()
    if (!isAllowed()) return
    if (!live.isLeading() || !isWorthIt(event, live.world, Date.now())) return
    const timer = setTimeout(() => (timers.delete(timer), tell(event)), READ_MS)
    timers.add(timer)
  }

  function tell(event: MessageCreated): void {
    const chat = live.world?.chats.get(event.chat_id)
    if (chat === undefined || live.world === null || chat.last_read_number >= event.data.message.number) return
    if (messages.openId === chat.id && document.visibilityState === "visible") return
    show(chat, event, live.world)
  }

  /** One notice a chat: the newest takes the place of the one before. */
  function show(chat: Chat, event: MessageCreated, world: World): void {
    const { message } = event.data
    const sender = world.people.get(message.sender_id)?.fullname ?? ""
    const name = title(chat, world)
    const text = brief(message.content)
    const notice = showNotification(name, {
      body: chat.chat_type === "single" ? text : t("messages.newFrom", { name: sender, text }),
      tag: `fechatter-${world.workspace.id}-${chat.id}`,
      icon: PICTURES.quiet,
    })
    if (notice === null) return
    notice.onclick = () => {
      window.focus()
      notice.close()
      void router.push({ name: "chat", params: { chatId: chat.id } })
    }
    shown.set(chat.id, notice)
  }

  /** Read or muted messages no longer need a notice. */
  const stop = watch(
    () => live.world?.chats,
    chats => {
      for (const [id, notice] of shown) if (!isNoticed(chats?.get(id))) shown.delete(id) && notice.close()
    },
  )
  onScopeDispose(() => {
    leave()
    stop()
    timers.forEach(timer => clearTimeout(timer))
    shown.forEach(notice => notice.close())
  })
}

/** A message of the person's own was sent from a visible tab, or a message that notifies arrived in a hidden tab. */
function isMomentForOffer(event: MessageCreated, world: World): boolean {
  const isSeen = document.visibilityState === "visible"
  return event.data.message.sender_id === world.me.id ? isSeen : !isSeen && isWorthIt(event, world, Date.now())
}

function isNoticed(chat: Chat | undefined): boolean {
  return chat !== undefined && isLoud(chat)
}

/** Other people's messages notify: direct ones, in a group, or mentions in a channel; never in a muted chat. */
export function isWorthIt(event: MessageCreated, world: World, nowMs: number): boolean {
  const { message } = event.data
  const chat = world.chats.get(event.chat_id)
  if (chat === undefined || chat.archived_at !== null || chat.muted || message.sender_id === world.me.id) return false
  if (nowMs - Date.parse(event.at) > NEW_MS) return false
  return chat.chat_type === "single" || chat.chat_type === "group" || mentions(message.content, world.me.handle)
}

/** Whether `@handle` stands in a text, as a whole. */
export function mentions(content: string, handle: string): boolean {
  const text = content.toLowerCase()
  const wanted = `@${handle.toLowerCase()}`
  for (let at = text.indexOf(wanted); handle !== "" && at >= 0; at = text.indexOf(wanted, at + 1)) {
    const [before, after] = [text.charAt(at - 1), text.slice(at + wanted.length)]
    if (!/[\p{L}\p{N}]/u.test(before) && !/^[.\-_]*[\p{L}\p{N}]/u.test(after)) return true
  }
  return false
}

function isAllowed(): boolean {
  return preferences.notifications && standing() === "granted"
}

/** "(3) general · Acme", and a dot on the tab's picture. */
export function useTitle(place: () => string): void {
  const live = useLive()
  const chats = useChats()
  watchEffect(() => {
    const count = preferences.badge ? chats.forMe : 0
    const parts = [place(), live.world?.workspace.name ?? "Fechatter"].filter(part => part !== "")
    document.title = (count > 0 ? `(${count}) ` : "") + parts.join(" · ")
    document.querySelector("link[rel=icon]")?.setAttribute("href", count > 0 ? PICTURES.unread : PICTURES.quiet)
  })
  onScopeDispose(() => {
    document.title = "Fechatter"
    document.querySelector("link[rel=icon]")?.setAttribute("href", PICTURES.quiet)
  })
}
