/** The workspace on the screen: what is known of it, how the connection stands, and who tells whom of an event. */

import { defineStore } from "pinia"
import { computed, ref, shallowRef } from "vue"
import { askAgain, call, forgetPositions, openStream, seenPosition } from "@/api/call"
import { Problem } from "@/api/http"
import type { Frame, ReadMark, Sync } from "@/api/nouns"
import { SignedOut } from "@/api/token"
import type { DurableEvent } from "@/state/events"
import { Pause, pauseMs } from "@/api/pause"
import { SharedConnection, type Tab } from "@/live/shared"
import { apply } from "@/state/apply"
import { begin, read, type Person, type World } from "@/state/world"

/** What else follows the events: the rooms whose state is not of the world. */
export interface Follower {
  /** After the world took it. */
  event(event: DurableEvent): void
  /** Everything was loaded anew: what was had may be out of date. */
  reloaded(): void
}

export type Phase = "starting" | "connecting" | "live" | "waiting" | "over"

export const useLive = defineStore("live", () => {
  const world = shallowRef<World | null>(null)
  const phase = ref<Phase>("starting")
  /** When the next try comes, in milliseconds since the epoch; 0 when none is planned. */
  const nextTryMs = ref(0)
  /** Whether what is shown comes from an earlier visit. */
  const isKept = ref(false)
  const isConnected = computed(() => phase.value === "live")
  const followers: Follower[] = []
  const pause = new Pause()
  let connection: SharedConnection | null = null
  /** Counts visits, so that an answer to an earlier one is not taken. */
  let visit = 0
  let isFirstStream = true

  /** Be told of every event, in order, until the function that this gives is called. */
  function follow(follower: Follower): () => void {
    followers.push(follower)
    return () => {
      const place = followers.indexOf(follower)
      if (place >= 0) followers.splice(place, 1)
    }
  }

  /** Whether this tab is the one that acts for all tabs of this person. */
  function isLeading(): boolean {
    return connection?.isLeading ?? false
  }

  /** Show what an earlier visit kept, until the server answers. */
  function show(sync: Sync, people: readonly Person[]): void {
    if (world.value !== null) return
    world.value = begin(sync, new Map(people.map(person => [person.id, person])))
    isKept.value = true
  }

  /** Load the workspace, however long it takes, and follow it. Returns when it is loaded, or the session proved over. */
  async function start(): Promise<void> {
    const mine = visit
    for (let failures = 1; phase.value !== "over" && mine === visit; failures += 1) {
      try {
        tell("connecting", 0)
        const cursor = await reload()
        return connect(cursor)
      } catch (error) {
        if (mine !== visit) return
        if (error instanceof SignedOut) return over()
        const wait = pauseMs(failures, retryAfterSeconds(error))
        tell("waiting", Date.now() + wait)
        await pause.sleep(wait)
      }
    }
  }

  function connect(cursor: string): void {
    const me = world.value?.me.id
    const tab: Tab = {
      open: (headers, signal) => openStream("/events", { ...headers, ...seenHeader() }, signal),
      frame: take,
      reload,
      phase: tell,
      isOver: error => error instanceof SignedOut,
      retryAfterSeconds,
      signedOut: over,
    }
    isFirstStream = true
    connection = new SharedConnection(`fechatter-live-${me}`, tab, cursor)
    connection.start()
  }

  /** The position that a stream must still contain. The log may have gone back since the pending requests were sent. */
  function seenHeader(): Record<string, string> {
    if (!isFirstStream) askAgain()
    isFirstStream = false
    const cursor = seenPosition()
    return cursor === null ? {} : { "Event-Cursor": cursor }
  }

  async function reload(): Promise<string> {
    const mine = visit
    forgetPositions()
    const answer = await call<Sync>("GET", "/api/sync")
    if (mine !== visit) throw new SignedOut()
    world.value = begin(answer, world.value?.people)
    isKept.value = false
    followers.forEach(follower => follower.reloaded())
    return answer.cursor
  }

  function take(name: string, data: unknown): void {
    const frame = { name, data } as Frame
    if (frame.name === "resumed") marks(frame.data.reads)
    else if (frame.name === "read.moved") marks([frame.data.data.read])
    else event(data as DurableEvent)
  }

  function event(event: DurableEvent): void {
    if (world.value === null) return
    // Something happened that the server cannot tell: what is shown is loaded anew.
    if ((event.type as string) === "unreadable") return void reload().catch(() => restart())
    world.value = apply(world.value, event)
    followers.forEach(follower => follower.event(event))
  }

  function marks(reads: ReadMark[]): void {
    if (world.value !== null) world.value = read(world.value, reads)
  }

  /** Change the world by what an answer told. */
  function change(by: (world: World) => World): void {
    if (world.value !== null) world.value = by(world.value)
  }

  function tell(now: Phase, untilMs: number): void {
    if (phase.value === "over") return
    phase.value = now
    nextTryMs.value = untilMs
  }

  function over(): void {
    stop()
    phase.value = "over"
  }

  /** Try now instead of later. */
  function wake(): void {
    pause.wake()
    connection?.wake()
  }

  /** The browser says that its network is back or another one. */
  function restart(): void {
    pause.wake()
    connection?.restart()
  }

  function stop(): void {
    connection?.stop()
    connection = null
    pause.wake()
  }

  /** Ready for another person. */
  function reset(): void {
    stop()
    visit += 1
    world.value = null
    phase.value = "starting"
    nextTryMs.value = 0
    isKept.value = false
    followers.length = 0
  }

  return {
    world,
    phase,
    nextTryMs,
    isKept,
    isConnected,
    isLeading,
    follow,
    show,
    start,
    change,
    wake,
    restart,
    stop,
    reset,
  }
})

function retryAfterSeconds(error: unknown): number {
  return error instanceof Problem ? error.retryAfterSeconds : 0
}
