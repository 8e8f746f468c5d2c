import type { PresenceState } from "@/api/signals"
import { type Key, t } from "@/i18n"

const TEXTS: Record<PresenceState, Key> = {
  online: "people.online",
  away: "people.away",
  dnd: "people.dnd",
  offline: "people.offline",
}

/** Returns a presence in words. */
export function presenceText(state: PresenceState): string {
  return t(TEXTS[state])
}
