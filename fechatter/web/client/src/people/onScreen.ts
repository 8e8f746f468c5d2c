/** Reports the people whose pictures are on the screen, so that only their presence is followed. */

import { onBeforeUnmount, onMounted, watch } from "vue"
import { usePresence } from "@/stores/presence"

const seen = new WeakMap<Element, (isOnScreen: boolean) => void>()
let observer: IntersectionObserver | undefined

/** `element` is the picture of the person `userId`, as long as the component exists. */
export function useOnScreen(element: () => Element | null, userId: () => number): void {
  const presence = usePresence()
  let shown: number | null = null
  let isOnScreen = false

  function update(): void {
    const wanted = isOnScreen ? userId() : null
    if (wanted === shown) return
    if (wanted !== null) presence.show(wanted)
    if (shown !== null) presence.hide(shown)
    shown = wanted
  }

  let mine: Element | null = null
  onMounted(() => {
    mine = element()
    if (mine === null) return
    seen.set(mine, now => ((isOnScreen = now), update()))
    observer ??= new IntersectionObserver(entries =>
      entries.forEach(entry => seen.get(entry.target)?.(entry.isIntersecting)),
    )
    observer.observe(mine)
  })
  watch(userId, update)
  onBeforeUnmount(() => {
    if (mine !== null) observer?.unobserve(mine)
    isOnScreen = false
    update()
  })
}
