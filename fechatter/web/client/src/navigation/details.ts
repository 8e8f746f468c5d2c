/** The pane beside the conversation, with one view at a time. On a narrow screen, the Back button closes it first. */

import { shallowRef, type Component } from "vue"

export interface Details {
  title: string
  component: Component
  props: Record<string, unknown>
}

/** At this width the pane covers the conversation (see Shell.vue). */
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

/** Handles `popstate`: the history entry of the open pane was left. */
export function leftDetails(): void {
  if (!isOnTop()) details.value = null
  else if (details.value === null) history.back()
}

function isOnTop(): boolean {
  return (history.state as { details?: boolean } | null)?.details === true
}
