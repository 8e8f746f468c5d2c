/** The workspace on the screen and its live connection. */

import { defineStore } from "pinia"
import { computed } from "vue"
import { bound } from "@/stores/bound"
import { LiveState } from "@/stores/liveState"
import { LiveStream } from "@/stores/liveStream"

export type { Follower, Phase } from "@/stores/liveState"

export const useLive = defineStore("live", () => {
  const state = new LiveState()
  const stream = new LiveStream(state)
  const { world, phase, nextTryMs, isKept } = state

  function reset(): void {
    stream.stop()
    state.reset()
  }

  return {
    world,
    phase,
    nextTryMs,
    isKept,
    isConnected: computed(() => phase.value === "live"),
    isLeading: () => stream.isLeading,
    ...bound(state, ["follow", "show", "change"]),
    ...bound(stream, ["start", "wake", "restart", "stop", "tell", "share", "command"]),
    reset,
  }
})
