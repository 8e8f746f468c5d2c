/** When desktop notifications are offered: once to a person in a browser, at a moment that shows what they are for. */

import { shallowRef } from "vue"
import { remembered } from "@/api/token"
import { canAskForNotifications, preferences } from "@/settings/preferences"

export const isOffered = shallowRef(false)

/** A message was sent, or one came while nobody looked. */
export function goodMoment(): void {
  const name = remembered()?.name
  if (name === undefined || preferences.offered.includes(name) || !canAskForNotifications()) return
  preferences.offered = [...preferences.offered, name]
  isOffered.value = true
}

export function closeOffer(): void {
  isOffered.value = false
}
