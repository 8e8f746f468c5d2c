/** Keeps a list still while somebody is about to click a row of it. */

import { onScopeDispose, ref } from "vue"

/** So long after the last move of the pointer or the last key, rows may move again. */
export const STILL_MS = 4000

/** `isHeld` is true from `touch` on, until `leave` or until nothing was touched for a while. */
export function useHold() {
  const isHeld = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  function touch(): void {
    clearTimeout(timer)
    timer = setTimeout(leave, STILL_MS)
    isHeld.value = true
  }

  function leave(): void {
    clearTimeout(timer)
    isHeld.value = false
  }

  onScopeDispose(leave)
  return { isHeld, touch, leave }
}
