/** Offers desktop notifications once per person and browser, at a moment that shows their purpose. */

import { shallowRef } from "vue"
import { remembered } from "@/api/token"
import { canAskForNotifications, preferences } from "@/preferences/preferences"

export const isOffered = shallowRef(false)

/** Make the offer now, unless it was made before. */
export function goodMoment(): void {
  const name = remembered()?.name
  if (name === undefined || preferences.offered.includes(name) || !canAskForNotifications()) return
  preferences.offered = [...preferences.offered, name]
  isOffered.value = true
}

export function closeOffer(): void {
  isOffered.value = false
}
