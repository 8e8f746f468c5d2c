/** What stands in the pane beside the conversation; one thing at a time. */

import { shallowRef, type Component } from "vue"

export interface Details {
  title: string
  component: Component
  props: Record<string, unknown>
}

export const details = shallowRef<Details | null>(null)

export function openDetails(title: string, component: Component, props: Record<string, unknown> = {}): void {
  details.value = { title, component, props }
}

export function closeDetails(): void {
  details.value = null
}
