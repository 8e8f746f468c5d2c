import { reactive, watch } from "vue"
import { askForNotifications, standing, type Standing } from "@/platform/notifications"
import { isObject, browserStorage } from "@/platform/storage"

/** The effect of Enter in the composer: the device's default, or the person's choice. */
export type EnterKey = "auto" | "send" | "line"

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
  enter: EnterKey
}

const KEY = "fechatter.preferences"
const DEFAULTS: Preferences = { notifications: false, badge: true, clock: "region", enter: "auto", offered: [] }

export const preferences = reactive<Preferences>({ ...DEFAULTS, ...browserStorage.getJson(KEY, isObject) })

watch(preferences, () => browserStorage.set(KEY, JSON.stringify(preferences)))

/** The browser was not asked yet, and can be. */
export function canAskForNotifications(): boolean {
  return standing() === "default"
}

/** Ask the browser, but only after the person has asked for it; returns the answer. */
export async function turnOnNotifications(): Promise<Standing> {
  const response = await askForNotifications()
  preferences.notifications = response === "granted"
  return response
}
