/** Who is online: the people on the screen, and this person. */

import { defineStore } from "pinia"
import { computed, ref, shallowRef, watch } from "vue"
import { newKey } from "@/api/key"
import type { Presence, PresenceState, Signal } from "@/api/signals"
import { bound } from "@/stores/bound"
import { useLive } from "@/stores/live"
import { usePeople } from "@/stores/people"
import { isQuiet, PresenceDesk, setQuiet } from "@/stores/presenceDesk"
import { Screen } from "@/stores/screen"

/** The person's choice. Being away is not chosen. */
export type Choice = "online" | "dnd" | "offline"

/** Input is passed on at most once in this time, and the leading tab checks its report as often. */
const LOOK_MS = 30_000
const INPUT = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]

export const usePresence = defineStore("presence", () => {
  const presences = new Presences()
  const { choice, screen } = presences
  return { choice, ...bound(presences, ["stateOf", "begin", "choose"]), ...bound(screen, ["show", "hide"]) }
})

class Presences {
  readonly choice = computed((): Choice => this.currentChoice())
  readonly screen = new Screen(ids => this.live.tell("presence.watch", { tab: this.tab, ids }))
  private readonly live = useLive()
  private readonly people = usePeople()
  private readonly states = shallowRef<ReadonlyMap<number, PresenceState>>(new Map())
  private readonly quiet = ref(isQuiet())
  private readonly tab = newKey()
  private desk: PresenceDesk | null = null
  private usedMs = 0

  /** Returns the state of a person; "offline" if it is not known. */
  stateOf(id: number): PresenceState {
    return this.states.value.get(id) ?? "offline"
  }

  /** Follow the stream of a visit, until `signal`. */
  begin(signal: AbortSignal): void {
    const desk = new PresenceDesk()
    this.desk = desk
    this.live.follow({
      event: () => undefined,
      reloaded: () => undefined,
      signal: received => this.take(received),
      told: (name, data) => receive(desk, name, data),
    })
    const stop = watch(
      () => this.live.isConnected,
      isConnected => isConnected && this.connected(desk),
      { flush: "sync" },
    )
    const clock = setInterval(() => this.live.isLeading() && desk.look(), LOOK_MS)
    for (const name of INPUT) addEventListener(name, () => this.used(), { signal, passive: true, capture: true })
    addEventListener("pagehide", () => this.live.tell("presence.watch", { tab: this.tab, ids: [] }), { signal })
    signal.addEventListener("abort", () => (stop(), clearInterval(clock), this.reset()))
  }

  /** Throws Problem, Unreachable. */
  async choose(wanted: Choice): Promise<void> {
    setQuiet(wanted === "dnd")
    this.quiet.value = wanted === "dnd"
    this.live.tell("presence.used", null)
    const shows_presence = wanted !== "offline"
    if ((this.people.me?.shows_presence ?? true) !== shows_presence) await this.people.changeMe({ shows_presence })
  }

  private currentChoice(): Choice {
    const { me } = this.people
    if (me?.shows_presence === false) return "offline"
    return this.quiet.value || (me !== null && this.stateOf(me.id) === "dnd") ? "dnd" : "online"
  }

  private take({ name, data }: Signal): void {
    if (name === "presence.changed") this.add(this.states.value, data.presences)
    else if (name === "presence.loaded") this.add(new Map(), data.presences)
  }

  private add(before: ReadonlyMap<number, PresenceState>, presences: readonly Presence[]): void {
    this.states.value = new Map([...before, ...presences.map(({ user_id, state }) => [user_id, state] as const)])
    // Another tab may have changed the choice.
    this.quiet.value = isQuiet()
  }

  private connected(desk: PresenceDesk): void {
    if (this.live.isLeading()) desk.connected()
    this.screen.repeat()
  }

  private used(): void {
    const now = Date.now()
    if (now - this.usedMs < LOOK_MS) return
    this.usedMs = now
    this.live.tell("presence.used", null)
  }

  /** Prepare for another person. */
  private reset(): void {
    this.desk?.stop()
    this.screen.stop()
    this.states.value = new Map()
  }
}

function receive(desk: PresenceDesk, name: string, data: unknown): void {
  if (name === "presence.used") desk.used()
  if (name !== "presence.watch") return
  const { tab, ids } = data as { tab: string; ids: number[] }
  desk.watch(tab, ids)
}
