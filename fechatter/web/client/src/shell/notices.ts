/** Shows desktop notifications for new messages. */

import { onScopeDispose, watch } from "vue"
import { useRouter, type Router } from "vue-router"
import type { Chat } from "@/api/nouns"
import { t } from "@/i18n"
import { brief } from "@/messages/announcement"
import { showNotification, standing } from "@/platform/notifications"
import { preferences } from "@/preferences/preferences"
import { goodMoment } from "@/shell/offer"
import { ICONS } from "@/shell/title"
import { isWorthNotice } from "@/shell/worthNotice"
import { isBold } from "@/state/attention"
import type { DurableEvent, MessageEvent } from "@/state/events"
import { title } from "@/state/names"
import type { World } from "@/state/world"
import { useLive } from "@/stores/live"
import { useMessages } from "@/stores/messages"
import { usePresence } from "@/stores/presence"

/** A message that is read within this time, in another tab or on another device, does not notify. */
const READ_MS = 1500

/** Lives as long as the component that uses it. */
export function useNotices(): void {
  const live = useLive()
  const notices = new Notices(useRouter())
  const leave = live.follow({ event: event => notices.take(event), reloaded: () => undefined })
  const stop = watch(
    () => live.world?.chats,
    chats => notices.closeSettled(chats),
  )
  onScopeDispose(() => {
    leave()
    stop()
    notices.closeAll()
  })
}

class Notices {
  private readonly live = useLive()
  private readonly messages = useMessages()
  private readonly presence = usePresence()
  private readonly router: Router
  private readonly timers = new Set<ReturnType<typeof setTimeout>>()
  /** The notification that is shown for each chat. */
  private readonly shown = new Map<number, Notification>()

  constructor(router: Router) {
    this.router = router
  }

  take(event: DurableEvent): void {
    const { world } = this.live
    if (event.type !== "message.created" || world === null) return
    if (isMomentForOffer(event, world)) goodMoment()
    if (
      !isAllowed() ||
      this.presence.choice === "dnd" ||
      !this.live.isLeading() ||
      !isWorthNotice(event, world, Date.now())
    )
      return
    const timer = setTimeout(() => (this.timers.delete(timer), this.notify(event)), READ_MS)
    this.timers.add(timer)
  }

  /** Close the notifications of chats that are read or muted. */
  closeSettled(chats: ReadonlyMap<number, Chat> | undefined): void {
    for (const [id, notification] of this.shown) {
      const chat = chats?.get(id)
      if (chat === undefined || !isBold(chat)) this.shown.delete(id) && notification.close()
    }
  }

  closeAll(): void {
    this.timers.forEach(timer => clearTimeout(timer))
    this.shown.forEach(notification => notification.close())
  }

  private notify(event: MessageEvent): void {
    const { world } = this.live
    const chat = world?.chats.get(event.chat_id)
    if (chat === undefined || world === null || chat.last_read_number >= event.data.message.number) return
    if (this.messages.openId === chat.id && document.visibilityState === "visible") return
    this.show(chat, event, world)
  }

  /** Each chat has one notification; a newer one replaces it. */
  private show(chat: Chat, event: MessageEvent, world: World): void {
    const { message } = event.data
    const name = world.people.get(message.sender_id)?.fullname ?? ""
    const text = brief(message.content)
    const notification = showNotification(title(chat, world), {
      body: chat.chat_type === "single" ? text : t("messages.newFrom", { name, text }),
      tag: `fechatter-${world.workspace.id}-${chat.id}`,
      icon: ICONS.quiet,
    })
    if (notification === null) return
    notification.onclick = () => {
      window.focus()
      notification.close()
      void this.router.push({ name: "chat", params: { chatId: chat.id } })
    }
    this.shown.set(chat.id, notification)
  }
}

/** The person sent a message from a visible tab, or a message that notifies arrived in a hidden tab. */
function isMomentForOffer(event: MessageEvent, world: World): boolean {
  const isVisible = document.visibilityState === "visible"
  if (event.data.message.sender_id === world.me.id) return isVisible
  return !isVisible && isWorthNotice(event, world, Date.now())
}

function isAllowed(): boolean {
  return preferences.notifications && standing() === "granted"
}
