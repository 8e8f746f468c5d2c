/**
 * Desktop notifications. Browsers may lack or refuse them; phones allow them only to service workers. No function here
 * throws.
 */

export type Standing = NotificationPermission | "missing"

export function standing(): Standing {
  try {
    return Notification.permission
  } catch {
    return "missing"
  }
}

/** Ask the person for permission. If the browser cannot ask, permission is not granted. */
export async function askForNotifications(): Promise<Standing> {
  try {
    return await Notification.requestPermission()
  } catch {
    return standing()
  }
}

/** Returns null if the browser shows no notifications. */
export function showNotification(title: string, options: NotificationOptions): Notification | null {
  try {
    return new Notification(title, options)
  } catch {
    return null
  }
}
