/**
 * A visit: the time from showing a person's workspace until the person signs out.
 *
 * A visit starts with the state that the browser has saved, so that the person can read at once. Then the server's
 * state replaces it.
 */

import { watch } from "vue"
import { endSession, forgetSession, remembered } from "@/api/token"
import { type Database, openDatabase, wipe } from "@/offline/database"
import { forgetFavourites } from "@/offline/favourites"
import { forgetLastChat } from "@/offline/lastChat"
import { outboxStorageIn } from "@/offline/outboxStorage"
import { dropShell } from "@/offline/shell"
import { type Channel, openChannel } from "@/platform/channel"
import { useDrafts } from "@/stores/drafts"
import { useLive } from "@/stores/live"
import { useMessages } from "@/stores/messages"
import { usePresence } from "@/stores/presence"
import { useReceipts } from "@/stores/receipts"
import { useTyping } from "@/stores/typing"
import { forgetShown, saveShown, showSaved } from "@/visit/savedState"

const SAVE_MS = 2000

let ending: AbortController | null = null

/** Begin a visit of the remembered person. Does nothing if a visit has begun. */
export async function beginVisit(): Promise<void> {
  const who = remembered()
  if (ending !== null || who === null) return
  ending = new AbortController()
  const { signal } = ending
  const database = await openDatabase(who.name).catch(() => null)
  if (signal.aborted) return
  await useDrafts().begin(who.name, database)
  if (signal.aborted) return
  await useMessages().begin(who.name, outboxStorageIn(database))
  if (signal.aborted) return
  // A person may write as soon as a chat is shown, so drafts and the outbox are ready before that. If the saved state
  // cannot be read, the server's state appears later.
  if (database) await showSaved(database).catch(() => undefined)
  if (signal.aborted) return
  beginSignals(signal)
  watchBrowser(signal)
  watchOtherTabs(who.name, signal)
  if (database) watchShown(database, signal)
  void useLive().start()
}

/** End the session and delete all its data, in all tabs of this person. Throws Problem, Unreachable. */
export async function signOut(): Promise<void> {
  const name = remembered()?.name
  await endSession()
  if (name === undefined) return
  const channel = tabs(name)
  channel.postMessage("signed out")
  channel.close()
  await endVisit(name)
}

/** Stop showing the workspace, and keep the saved state. The next person who signs in begins another visit. */
export function leaveVisit(): void {
  ending?.abort()
  ending = null
  useMessages().reset()
  useTyping().reset()
  useReceipts().reset()
  useDrafts().reset()
  useLive().reset()
}

function beginSignals(signal: AbortSignal): void {
  useTyping().begin()
  useReceipts().begin()
  usePresence().begin(signal)
}

/** Delete everything about this person. The client itself is stored again if another person uses it in this browser. */
async function endVisit(name: string): Promise<void> {
  leaveVisit()
  forgetSession()
  forgetFavourites(name)
  forgetLastChat(name)
  await Promise.all([wipe(name), dropShell()])
}

/** Only the tabs of this person use this channel. */
function tabs(name: string): Channel {
  return openChannel(`${name}-session`)
}

/** Signing out in one tab signs out in all tabs. */
function watchOtherTabs(name: string, signal: AbortSignal): void {
  const channel = tabs(name)
  channel.onmessage = () => void endVisit(name).then(() => location.assign("/signin"))
  signal.addEventListener("abort", () => channel.close())
}

/** Retry at once when the network changes or the person returns to the page. */
function watchBrowser(signal: AbortSignal): void {
  const live = useLive()
  const messages = useMessages()
  addEventListener("online", () => (live.restart(), messages.wake()), { signal })
  // Without a network, an open stream reports no error.
  addEventListener("offline", () => live.restart(), { signal })
  addEventListener("visibilitychange", () => document.visibilityState === "visible" && (live.wake(), messages.wake()), {
    signal,
  })
  const stop = watch(
    () => live.phase,
    phase => phase === "live" && messages.wake(),
  )
  signal.addEventListener("abort", stop)
}

/** Save the shown state a moment after each change, and when the page is closed. */
function watchShown(database: Database, signal: AbortSignal): void {
  const live = useLive()
  const messages = useMessages()
  let timer: ReturnType<typeof setTimeout> | undefined
  const save = () => {
    clearTimeout(timer)
    timer = undefined
    if (!signal.aborted) void saveShown(database).catch(() => undefined)
  }
  const stop = watch([() => live.world, messages.timelines], () => (timer ??= setTimeout(save, SAVE_MS)))
  const stopPhase = watch(
    () => live.phase,
    phase => phase === "over" && void forgetShown(database).catch(() => undefined),
  )
  addEventListener("pagehide", save, { signal })
  signal.addEventListener("abort", () => (clearTimeout(timer), stop(), stopPhase(), database.close()))
}
