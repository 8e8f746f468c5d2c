/**
 * The part of presence that one tab does for all tabs of the session: one subscription and one reported state.
 *
 * Every tab sends its wishes to the leading tab. When another tab takes the lead, all tabs send them again.
 */

import { call } from "@/api/call"
import type { Presences, PresenceState } from "@/api/signals"
import { browserStorage } from "@/platform/storage"
import { useLive } from "@/stores/live"

/** The limit of the server for one subscription. */
export const MAX_PEOPLE = 500
const SETTLE_MS = 500
const AWAY_MS = 10 * 60_000
const QUIET_KEY = "fechatter.do-not-disturb"

/** Whether the person does not want to be disturbed, as chosen in this browser. */
export function isQuiet(): boolean {
  return browserStorage.get(QUIET_KEY) !== null
}

export function setQuiet(wanted: boolean): void {
  if (wanted) browserStorage.set(QUIET_KEY, "yes")
  else browserStorage.delete(QUIET_KEY)
}

export class PresenceDesk {
  private readonly live = useLive()
  /** The people on the screen of each tab; the tab that changed last is at the end. */
  private readonly wanted = new Map<string, readonly number[]>()
  private subscribed = new Set<number>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private inputMs = Date.now()
  private reported: PresenceState | null = null

  /** The people on the screen of a tab. */
  watch(tab: string, ids: readonly number[]): void {
    this.wanted.delete(tab)
    if (ids.length > 0) this.wanted.set(tab, ids)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.subscribe(), SETTLE_MS)
  }

  /** The person used the keyboard, the pointer or the screen in any tab. */
  used(): void {
    this.inputMs = Date.now()
    this.report()
  }

  /** A stream is open, perhaps on a server that knows nothing of this session. */
  connected(): void {
    this.subscribed = new Set()
    this.reported = null
    this.report()
  }

  /** Repeat what failed, and notice that the person has been away for long. */
  look(): void {
    this.report()
    void this.subscribe()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.wanted.clear()
    this.subscribed.clear()
    this.reported = null
  }

  private report(): void {
    if (!this.live.isConnected) return
    const state = isQuiet() ? "dnd" : Date.now() - this.inputMs < AWAY_MS ? "online" : "away"
    if (state === this.reported) return
    this.reported = state
    if (!this.live.command({ type: "presence", state }))
      void call("PUT", "/api/presence", { body: { state } }).catch(() => (this.reported = null))
  }

  /** People who left the screen stay subscribed until somebody else appears on it. */
  private async subscribe(): Promise<void> {
    const ids = [...new Set([...this.wanted.values()].toReversed().flat())].slice(0, MAX_PEOPLE)
    if (!this.live.isConnected || ids.every(id => this.subscribed.has(id))) return
    this.subscribed = new Set(ids)
    try {
      const body = { user_ids: ids }
      const found = await call<Presences>("POST", "/api/presence/subscriptions", { body })
      this.live.share("presence.loaded", found)
    } catch {
      this.subscribed = new Set()
    }
  }
}
