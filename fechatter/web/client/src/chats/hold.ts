/** Keeps a list still while a person is about to choose a row. */

import { computed, onScopeDispose, ref } from "vue"

/** After this time without a key or touch, rows may move again. */
export const STILL_MS = 4000

/** `isHeld` is true while a mouse is over the list, and for a while after each key and touch. */
export function useHold() {
  const isOver = ref(false)
  const isRecent = ref(false)
  const isHeld = computed(() => isOver.value || isRecent.value)
  let timer: ReturnType<typeof setTimeout> | undefined

  function used(): void {
    clearTimeout(timer)
    timer = setTimeout(() => (isRecent.value = false), STILL_MS)
    isRecent.value = true
  }

  function moved({ pointerType }: Pick<PointerEvent, "pointerType">): void {
    if (pointerType === "mouse") isOver.value = true
    else used()
  }

  /** A finger leaves the list before its click comes, so only a mouse ends the hold at once. */
  function left({ pointerType }: Pick<PointerEvent, "pointerType">): void {
    if (pointerType === "mouse") release()
  }

  function release(): void {
    clearTimeout(timer)
    isOver.value = isRecent.value = false
  }

  /** When a person returns to the page, the list is in order again. */
  const hidden = () => document.visibilityState === "hidden" && release()
  document.addEventListener("visibilitychange", hidden)

  onScopeDispose(() => {
    release()
    document.removeEventListener("visibilitychange", hidden)
  })
  return { isHeld, used, moved, left }
}
