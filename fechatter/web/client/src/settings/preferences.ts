import { reactive, watch } from "vue"

/** What one wants of this browser; it is kept here and not at the server. */
export interface Preferences {
  /** Desktop notifications, off until asked for. */
  notifications: boolean
  /** The count of unread messages in the title and the tab's picture. */
  badge: boolean
  /** How hours are shown; `region` follows the browser. */
  clock: "region" | "12" | "24"
  /** The people to whom notifications were offered in this browser. */
  offered: readonly string[]
}

const KEY = "fechatter.preferences"
const DEFAULTS: Preferences = { notifications: false, badge: true, clock: "region", offered: [] }

export const preferences = reactive<Preferences>({ ...DEFAULTS, ...stored() })

watch(preferences, () => localStorage.setItem(KEY, JSON.stringify(preferences)))

/** The browser was not asked yet, and can be. */
export function canAskForNotifications(): boolean {
  return "Notification" in globalThis && Notification.permission === "default"
}

/** Ask the browser, when somebody wants it and never before; returns its answer. */
export async function turnOnNotifications(): Promise<NotificationPermission> {
  const answer = "Notification" in globalThis ? await Notification.requestPermission() : "default"
  preferences.notifications = answer === "granted"
  return answer
}

function stored(): Partial<Preferences> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>
  } catch {
    return {}
  }
}
