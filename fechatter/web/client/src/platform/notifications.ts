/** Desktop notifications, which browsers lack, refuse, or (on phones) give to service workers alone. Nothing here throws. */

export type Standing = NotificationPermission | "missing"

export function standing(): Standing {
  try {
    return Notification.permission
  } catch {
    return "missing"
  }
}

/** Ask the person for permission; if the browser cannot ask, the result is no permission. */
export async function askForNotifications(): Promise<Standing> {
  try {
    return await Notification.requestPermission()
  } catch {
    return standing()
  }
}

/** Null where the browser shows none. */
export function showNotification(title: string, options: NotificationOptions): Notification | null {
  try {
    return new Notification(title, options)
  } catch {
    return null
  }
}
