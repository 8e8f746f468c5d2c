/** The time, for texts that change when it passes. */

import { onScopeDispose, ref, type Ref } from "vue"

const TICK_MS = 20_000

const now = ref(Date.now())
let users = 0
let ticking: ReturnType<typeof setInterval> | undefined

/** Returns the time in milliseconds since the epoch, to the third of a minute. Ends with the component that uses it. */
export function useNow(): Readonly<Ref<number>> {
  users += 1
  now.value = Date.now()
  ticking ??= setInterval(() => (now.value = Date.now()), TICK_MS)
  onScopeDispose(() => {
    users -= 1
    if (users > 0) return
    clearInterval(ticking)
    ticking = undefined
  })
  return now
}
