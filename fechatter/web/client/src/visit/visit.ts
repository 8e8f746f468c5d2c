/**
 * A visit: what begins when somebody's workspace is shown and ends when they sign out.
 *
 * Begins with what the browser kept, so that there is something to read at once, and goes on with what the server says.
 */

import { watch } from "vue"
import { end, forget, remembered } from "@/api/token"
import { openDatabase, wipe, type Database } from "@/offline/database"
import { forgetFavourites } from "@/offline/favourites"
import { forgetLastChat } from "@/offline/lastChat"
import { outboxStorageIn } from "@/offline/outboxStorage"
import { dropShell } from "@/offline/shell"
import { openChannel, type Channel } from "@/platform/channel"
import { useDrafts } from "@/stores/drafts"
import { useLive } from "@/stores/live"
import { useMessages } from "@/stores/messages"
import { forgetShown, keepShown, showKept } from "@/visit/keeper"

const KEEP_MS = 2000

let ending: AbortController | null = null

/** Begin a visit of whoever is remembered; does nothing while one runs. */
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
  // Whoever sees a chat may write to it at once, so what takes and keeps their words is there before.
  if (database) await showKept(database).catch(() => undefined) // Then the server shows it.
  if (signal.aborted) return
  watchBrowser(signal)
  watchOtherTabs(who.name, signal)
  if (database) watchShown(database, signal)
  void useLive().start()
}

/** Sign out: ends the session and wipes what was kept of it, in all tabs of this person. Throws Problem, Unreachable. */
export async function signOut(): Promise<void> {
  const name = remembered()?.name
  await end()
  if (name === undefined) return
  const channel = tabs(name)
  channel.postMessage("signed out")
  channel.close()
  await endVisit(name)
}

/** Nothing is shown any more: whoever signs in next begins a visit of their own. What was kept stays kept. */
export function leaveVisit(): void {
  ending?.abort()
  ending = null
  useMessages().reset()
  useDrafts().reset()
  useLive().reset()
}

/** Leave nothing of this person in the browser; the client itself is kept again where somebody else still uses it. */
async function endVisit(name: string): Promise<void> {
  leaveVisit()
  forget()
  forgetFavourites(name)
  forgetLastChat(name)
  await Promise.all([wipe(name), dropShell()])
}

/** People in other workspaces, in tabs of their own, hear nothing of it. */
function tabs(name: string): Channel {
  return openChannel(`${name}-session`)
}

/** Signing out in one tab is signing out in all. */
function watchOtherTabs(name: string, signal: AbortSignal): void {
  const channel = tabs(name)
  channel.onmessage = () => void endVisit(name).then(() => location.assign("/signin"))
  signal.addEventListener("abort", () => channel.close())
}

/** What the browser knows of its network, and when somebody looks again, is worth a try at once. */
function watchBrowser(signal: AbortSignal): void {
  const live = useLive()
  const messages = useMessages()
  addEventListener("online", () => (live.restart(), messages.wake()), { signal })
  // Without a network an open stream only looks alive.
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

/** Keep what is shown a moment after it changed, and when the page goes away. */
function watchShown(database: Database, signal: AbortSignal): void {
  const live = useLive()
  const messages = useMessages()
  let timer: ReturnType<typeof setTimeout> | undefined
  const keep = () => {
    clearTimeout(timer)
    timer = undefined
    if (!signal.aborted) void keepShown(database).catch(() => undefined)
  }
  const stop = watch([() => live.world, messages.timelines], () => (timer ??= setTimeout(keep, KEEP_MS)))
  const stopPhase = watch(
    () => live.phase,
    phase => phase === "over" && void forgetShown(database).catch(() => undefined),
  )
  addEventListener("pagehide", keep, { signal })
  signal.addEventListener("abort", () => (clearTimeout(timer), stop(), stopPhase(), database.close()))
}
