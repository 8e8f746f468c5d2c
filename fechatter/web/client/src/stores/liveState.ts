/** The state behind the live store: the world, the phase of the connection, and the followers of events. */

import { ref, shallowRef } from "vue"
import { call, forgetPositions } from "@/api/call"
import type { ReadMark, Sync } from "@/api/nouns"
import type { Signal } from "@/api/signals"
import { SignedOut } from "@/api/token"
import { apply } from "@/state/apply"
import type { DurableEvent } from "@/state/events"
import { applyMarks, type Person, resumeMarks, type World, worldOf } from "@/state/world"

/** A store whose state is not part of the world. */
export interface Follower {
  /** Runs after the world includes the event. */
  event(event: DurableEvent): void
  /** Runs after a full reload. Data that was loaded earlier may be out of date. */
  reloaded(): void
  /** Signals have no order and may be lost. */
  signal?(signal: Signal): void
  /** Messages from all tabs to the tab that leads. */
  told?(name: string, data: unknown): void
}

export type Phase = "starting" | "connecting" | "live" | "waiting" | "over"

export class LiveState {
  readonly world = shallowRef<World | null>(null)
  readonly phase = ref<Phase>("starting")
  /** The time of the next attempt, in milliseconds since the epoch; 0 if no attempt is planned. */
  readonly nextTryMs = ref(0)
  /** Whether the world comes from the browser's database and the server has not sent it again yet. */
  readonly isKept = ref(false)
  /** Counts visits. A response to a request of an earlier visit is dropped. */
  visit = 0
  private readonly followers: Follower[] = []

  /** Call `follower` for every event, in order. Returns a function that ends this. */
  follow(follower: Follower): () => void {
    this.followers.push(follower)
    return () => {
      const index = this.followers.indexOf(follower)
      if (index >= 0) this.followers.splice(index, 1)
    }
  }

  /** Show the state that an earlier visit saved, until the server responds. */
  show(sync: Sync, people: readonly Person[]): void {
    if (this.world.value !== null) return
    this.world.value = worldOf(sync, new Map(people.map(person => [person.id, person])))
    this.isKept.value = true
  }

  /** Load the whole workspace. Returns its position. Throws SignedOut, Problem, Unreachable. */
  async reload(): Promise<string> {
    const { visit } = this
    forgetPositions()
    const sync = await call<Sync>("GET", "/api/sync")
    if (visit !== this.visit) throw new SignedOut()
    this.world.value = worldOf(sync, this.world.value?.people)
    this.isKept.value = false
    this.followers.forEach(follower => follower.reloaded())
    return sync.cursor
  }

  apply(event: DurableEvent): void {
    this.change(world => apply(world, event))
    this.followers.forEach(follower => follower.event(event))
  }

  signal(signal: Signal): void {
    this.followers.forEach(follower => follower.signal?.(signal))
  }

  told(name: string, data: unknown): void {
    this.followers.forEach(follower => follower.told?.(name, data))
  }

  moveMark(mark: ReadMark): void {
    this.change(world => applyMarks(world, [mark]))
  }

  resumeMarks(marks: readonly ReadMark[]): void {
    this.change(world => resumeMarks(world, marks))
  }

  change(by: (world: World) => World): void {
    if (this.world.value !== null) this.world.value = by(this.world.value)
  }

  setPhase(phase: Phase, nextTryMs: number): void {
    if (this.phase.value === "over") return
    this.phase.value = phase
    this.nextTryMs.value = nextTryMs
  }

  /** Prepare for another person. */
  reset(): void {
    this.visit += 1
    this.world.value = null
    this.phase.value = "starting"
    this.nextTryMs.value = 0
    this.isKept.value = false
    this.followers.length = 0
  }
}
