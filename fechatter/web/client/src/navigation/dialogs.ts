/** The dialogs that any view may open, one at a time. */

import { shallowRef } from "vue"

export type DialogName = "switcher" | "newChannel" | "newMessage" | "browse" | "invite" | "workspace" | "status"

export const dialog = shallowRef<DialogName | null>(null)

export function openDialog(name: DialogName): void {
  dialog.value = name
}

export function closeDialog(): void {
  dialog.value = null
}
