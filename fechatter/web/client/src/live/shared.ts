/**
 * One live connection a browser: one tab leads, the others follow what it hands on.
 *
 * The tab that holds the lock leads; when it closes, the browser gives the lock to another. What is handed on says which
 * position it follows, so a tab that missed something knows it and loads anew. Where the browser has no locks (pages
 * without https), every tab has a connection of its own.
 */

import { eraOf, seqOf } from "@/api/cursor"
import { Connection, type Phase, type Environment } from "@/live/connection"
import { openChannel, type Channel } from "@/platform/channel"
import { lockManager } from "@/platform/locks"

const SILENCE_MS = 60_000
const LOOK_MS = 10_000

/** What this tab does with what it hears, however it hears it. */
export type Tab = Omit<Environment, "cursor"> & { signedOut(): void }

type Handed =
  | { kind: "join" }
  | { kind: "wake" }
  | { kind: "stand"; life: string; before: string; cursor: string; phase: Phase; untilMs: number }
  | { kind: "frame"; life: string; before: string; cursor: string; name: string; data: unknown }

export class SharedConnection {
  private readonly channel: Channel
  private readonly name: string
  private readonly tab: Tab
  private cursor: string | null
  /** Identifies a load of the leading tab. Numbers compare within one load; "" until a leading tab is heard. */
  private life = ""
  private connection: Connection | null = null
  private heardAt = performance.now()
  private phase: Phase = "connecting"
  private untilMs = 0
  private work: Promise<void> = Promise.resolve()
  private isStopped = false
  private watch: ReturnType<typeof setInterval> | undefined

  /** `name` is one for each person; `cursor` is where this tab stands, null when it has loaded nothing. */
  constructor(name: string, tab: Tab, cursor: string | null) {
    this.name = name
    this.tab = tab
    this.cursor = cursor
    this.channel = openChannel(name)
  }

  start(): void {
    this.channel.onmessage = (message: MessageEvent<Handed>) => this.heard(message.data)
    if (lockManager() === undefined) {
      void this.lead()
      return
    }
    void this.waitForLead({})
    this.channel.postMessage({ kind: "join" } satisfies Handed)
    this.watch = setInterval(() => this.look(), LOOK_MS)
  }

  stop(): void {
    this.isStopped = true
    clearInterval(this.watch)
    this.channel.close()
    this.connection?.stop()
  }

  /** Whether this tab holds the connection. */
  get isLeading(): boolean {
    return this.connection !== null
  }

  wake(): void {
    if (this.connection) this.connection.wake()
    else this.channel.postMessage({ kind: "wake" } satisfies Handed)
  }

  /** The network changed. */
  restart(): void {
    this.connection?.restart()
  }

  private async waitForLead(options: LockOptions): Promise<void> {
    try {
      await navigator.locks.request(this.name, options, () => (this.isStopped ? undefined : this.lead()))
    } catch (error) {
      // If a browser refuses locks or lacks them, every tab has its own connection.
      if ((error as Error).name !== "AbortError") return void this.lead()
      // Another tab took the lead from this one, which had been silent for too long: follow it.
      this.connection?.stop()
      this.connection = null
      if (!this.isStopped) void this.waitForLead({})
    }
  }

  /** A leader that is frozen hands nothing on, and a phase that nobody confirms would be a lie. */
  private look(): void {
    if (this.connection !== null || performance.now() - this.heardAt < SILENCE_MS) return
    this.heardAt = performance.now()
    this.tell("connecting", 0)
    void this.waitForLead({ steal: true })
  }

  private async lead(): Promise<void> {
    await this.work
    this.life ||= anyName()
    const connection = new Connection(this.leading(), this.cursor)
    this.connection = connection
    const why = await connection.run()
    if (this.connection === connection) this.connection = null
    if (why === "signed out") this.tab.signedOut()
  }

  /** The tab's own environment, with everything handed on. */
  private leading(): Environment {
    return {
      ...this.tab,
      frame: (name, data, cursor) => {
        const before = this.cursor ?? ""
        this.tab.frame(name, data, cursor)
        this.cursor = cursor ?? this.cursor
        this.hand({ kind: "frame", life: this.life, before, cursor: this.cursor ?? "", name, data })
      },
      cursor: cursor => {
        const before = this.cursor ?? ""
        this.cursor = cursor
        this.stand(before)
      },
      reload: async () => {
        this.cursor = await this.tab.reload()
        this.life = anyName()
        this.stand(this.cursor)
        return this.cursor
      },
      phase: (phase, untilMs) => {
        this.tell(phase, untilMs)
        this.stand(this.cursor ?? "")
      },
    }
  }

  private tell(phase: Phase, untilMs: number): void {
    this.phase = phase
    this.untilMs = untilMs
    this.tab.phase(phase, untilMs)
  }

  private stand(before: string): void {
    const { life, cursor, phase, untilMs } = this
    this.hand({ kind: "stand", life, before, cursor: cursor ?? "", phase, untilMs })
  }

  private hand(message: Handed): void {
    if (!this.isStopped) this.channel.postMessage(message)
  }

  private heard(message: Handed): void {
    if (message.kind === "join") this.connection && this.stand(this.cursor ?? "")
    else if (message.kind === "wake") this.connection?.wake()
    else if (this.connection === null) this.work = this.work.then(() => this.follow(message))
  }

  /** One after the other, so that what is handed on while this tab loads waits for it. */
  private async follow(message: Extract<Handed, { before: string }>): Promise<void> {
    if (this.isStopped || this.connection !== null) return
    this.heardAt = performance.now()
    try {
      if (this.missed(message)) this.cursor = await this.tab.reload()
      this.life = message.life
      this.take(message)
    } catch (error) {
      if (this.tab.isOver(error)) this.tab.signedOut()
      else this.tell("connecting", 0)
    }
  }

  private take(message: Extract<Handed, { before: string }>): void {
    if (message.kind === "frame") this.tab.frame(message.name, message.data, message.cursor)
    else this.tell(message.phase, message.untilMs)
    if (seqOf(message.cursor) > seqOf(this.cursor)) this.cursor = message.cursor
  }

  /** Whether something lies between where this tab stands and what it is told next. */
  private missed({ life, before }: Extract<Handed, { before: string }>): boolean {
    if (before === "") return false
    if (this.cursor === null || seqOf(before) > seqOf(this.cursor)) return true
    // The log may have gone back, so the numbers may come from two logs.
    return life !== this.life && (this.life !== "" || eraOf(before) !== eraOf(this.cursor))
  }
}

function anyName(): string {
  return `${Date.now()}-${Math.random()}`
}
