import { reactive, watch } from "vue"
import { askForNotifications, standing, type Standing } from "@/platform/notifications"
import { isObject, kept } from "@/platform/storage"

/** What Enter does where one writes: what is usual for the device, or what the person chose. */
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

export const preferences = reactive<Preferences>({ ...DEFAULTS, ...kept.getJson(KEY, isObject) })

watch(preferences, () => kept.set(KEY, JSON.stringify(preferences)))

/** The browser was not asked yet, and can be. */
export function canAskForNotifications(): boolean {
  return standing() === "default"
}

/** Ask the browser, when somebody wants it and never before; returns its answer. */
export async function turnOnNotifications(): Promise<Standing> {
  const answer = await askForNotifications()
  preferences.notifications = answer === "granted"
  return answer
}
