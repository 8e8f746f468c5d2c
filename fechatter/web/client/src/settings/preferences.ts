import { reactive, watch } from "vue"

/** What one wants of this browser; it is kept here and not at the server. */
export interface Preferences {
  /** Desktop notifications, off until asked for. */
  notifications: boolean
  /** The count of unread messages in the title and the tab's picture. */
  badge: boolean
  /** How hours are shown; `region` follows the browser. */
  clock: "region" | "12" | "24"
}

const KEY = "fechatter.preferences"
const DEFAULTS: Preferences = { notifications: false, badge: true, clock: "region" }

export const preferences = reactive<Preferences>({ ...DEFAULTS, ...stored() })

watch(preferences, () => localStorage.setItem(KEY, JSON.stringify(preferences)))

function stored(): Partial<Preferences> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>
  } catch {
    return {}
  }
}
