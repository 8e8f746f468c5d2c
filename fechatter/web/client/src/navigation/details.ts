/** The pane beside the conversation, one view at a time. If the pane covers everything, Back closes it first. */

import { shallowRef, type Component } from "vue"

export interface Details {
  title: string
  component: Component
  props: Record<string, unknown>
}

/** Where the pane lies over the conversation (see Shell.vue). */
const COVERS = "(max-width: 68rem)"

export const details = shallowRef<Details | null>(null)

export function openDetails(title: string, component: Component, props: Record<string, unknown> = {}): void {
  if (!isOnTop() && matchMedia(COVERS).matches) history.pushState({ ...history.state, details: true }, "")
  details.value = { title, component, props }
}

export function closeDetails(): void {
  const wasOpen = details.value !== null
  details.value = null
  if (wasOpen && isOnTop()) history.back()
}

/** For `popstate`: the entry of the open pane has been left. */
export function leftDetails(): void {
  if (!isOnTop()) details.value = null
  else if (details.value === null) history.back()
}

function isOnTop(): boolean {
  return (history.state as { details?: boolean } | null)?.details === true
}
