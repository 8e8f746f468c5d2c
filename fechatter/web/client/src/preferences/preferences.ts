import { reactive, watch } from "vue"
import { askForNotifications, standing, type Standing } from "@/platform/notifications"
import { browserStorage, isObject } from "@/platform/storage"

/** The effect of Enter in the composer: the device's default, or the person's choice. */
export type EnterKey = "auto" | "send" | "line"

/** Preferences for this browser, which the server does not store. */
export interface Preferences {
  /** Desktop notifications, which are off until the person turns them on. */
  notifications: boolean
  /** Shows the unread count in the title and a dot on the tab's icon. */
  badge: boolean
  /** The time format; `region` follows the browser. */
  clock: "region" | "12" | "24"
  /** The people to whom notifications were offered in this browser. */
  offered: readonly string[]
  enter: EnterKey
}

const KEY = "fechatter.preferences"
const DEFAULTS: Preferences = { notifications: false, badge: true, clock: "region", enter: "auto", offered: [] }

export const preferences = reactive<Preferences>({ ...DEFAULTS, ...browserStorage.getJson(KEY, isObject) })

watch(preferences, () => browserStorage.set(KEY, JSON.stringify(preferences)))

/** Whether the browser can be asked for permission and has not been asked yet. */
export function canAskForNotifications(): boolean {
  return standing() === "default"
}

/** Ask the browser, but only after the person has asked for it; returns the answer. */
export async function turnOnNotifications(): Promise<Standing> {
  const response = await askForNotifications()
  preferences.notifications = response === "granted"
  return response
}
