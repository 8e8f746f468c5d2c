/** A live store without a server: a test sends its signals, events and messages, and sees what a store sends. */

import { vi } from "vitest"
import { ref } from "vue"
import type { Sync } from "@/api/nouns"
import type { Signal } from "@/api/signals"
import type { DurableEvent } from "@/state/events"
import { type Follower, useLive } from "@/stores/live"
import { user } from "@/testing/modelServer"

/** Call this after a new Pinia is active. The signed-in person is 1. */
export function fakeLive() {
  const live = useLive()
  const followers: Follower[] = []
  const commands: object[] = []
  const isConnected = ref(true)
  const hasSocket = ref(true)
  vi.spyOn(live, "follow").mockImplementation(follower => {
    followers.push(follower)
    return () => undefined
  })
  vi.spyOn(live, "command").mockImplementation(command => hasSocket.value && commands.push(command) > 0)
  vi.spyOn(live, "tell").mockImplementation((name, data) => followers.forEach(each => each.told?.(name, data)))
  vi.spyOn(live, "share").mockImplementation((name, data) => signal({ name, data } as Signal))
  vi.spyOn(live, "isLeading").mockReturnValue(true)
  vi.spyOn(live, "isConnected", "get").mockImplementation(() => isConnected.value)
  live.show({ cursor: "e.1", me: user(1), workspace: {}, chats: [] } as unknown as Sync, [])

  function signal(sent: Signal): void {
    followers.forEach(each => each.signal?.(sent))
  }

  function event(sent: Partial<DurableEvent>): void {
    followers.forEach(each => each.event(sent as DurableEvent))
  }

  return { live, commands, isConnected, hasSocket, signal, event }
}
