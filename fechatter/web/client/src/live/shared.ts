/**
 * One live connection per browser: one tab leads, and the other tabs follow it.
 *
 * The tab that owns a lock leads. When it closes, the browser grants the lock to another tab. Each message of the
 * leader names the position before it, so a tab that missed a message notices that and reloads. If the browser has no
 * locks, as on pages without https, every tab has a connection of its own.
 */

import { eraOf, seqOf } from "@/api/cursor"
import { Connection, type Environment, type Phase } from "@/live/connection"
import { type Channel, openChannel } from "@/platform/channel"
import { lockManager } from "@/platform/locks"

const SILENCE_MS = 60_000
const CHECK_MS = 10_000

/** The functions of this tab, which run whether it leads or follows. */
export type Tab = Omit<Environment, "cursor"> & {
  signedOut(): void
  /** A message for the leading tab arrived, from this tab or another one. */
  told(name: string, data: unknown): void
}

/** A message between tabs. `before` is the sender's position before the message. */
type TabMessage =
  | { kind: "join" }
  | { kind: "wake" }
  | { kind: "tell"; name: string; data: unknown }
  | { kind: "state"; life: string; before: string; cursor: string; phase: Phase; untilMs: number }
  | { kind: "frame"; life: string; before: string; cursor: string; name: string; data: unknown }

export class SharedConnection {
  private readonly channel: Channel
  private readonly name: string
  private readonly tab: Tab
  private cursor: string | null
  /** Identifies a load of the leading tab. Positions can be compared within one load; "" until a leader is known. */
  private life = ""
  private connection: Connection | null = null
  private receivedAt = performance.now()
  private phase: Phase = "connecting"
  private untilMs = 0
  private work: Promise<void> = Promise.resolve()
  private isStopped = false
  private watch: ReturnType<typeof setInterval> | undefined

  /** `name` differs for each person. `cursor` is this tab's position, or null if it has loaded nothing. */
  constructor(name: string, tab: Tab, cursor: string | null) {
    this.name = name
    this.tab = tab
    this.cursor = cursor
    this.channel = openChannel(name)
  }

  start(): void {
    this.channel.onmessage = (message: MessageEvent<TabMessage>) => this.received(message.data)
    if (lockManager() === undefined) {
      void this.lead()
      return
    }
    void this.waitForLead({})
    this.channel.postMessage({ kind: "join" } satisfies TabMessage)
    this.watch = setInterval(() => this.checkLeader(), CHECK_MS)
  }

  stop(): void {
    this.isStopped = true
    clearInterval(this.watch)
    this.channel.close()
    this.connection?.stop()
  }

  /** Whether this tab has the connection. */
  get isLeading(): boolean {
    return this.connection !== null
  }

  wake(): void {
    if (this.connection) this.connection.wake()
    else this.channel.postMessage({ kind: "wake" } satisfies TabMessage)
  }

  /** The network changed. */
  restart(): void {
    this.connection?.restart()
  }

  /** Pass a message to the tab that leads. */
  tell(name: string, data: unknown): void {
    if (this.connection) this.tab.told(name, data)
    this.send({ kind: "tell", name, data })
  }

  /** Show a frame in all tabs, as if the server had sent it. Only for the tab that leads. */
  share(name: string, data: unknown): void {
    this.frame(name, data, null)
  }

  /** Send a command on this tab's stream. Returns false if it must be sent as a request. */
  command(command: object): boolean {
    return this.connection?.send(command) ?? false
  }

  private async waitForLead(options: LockOptions): Promise<void> {
    try {
      await navigator.locks.request(this.name, options, () => (this.isStopped ? undefined : this.lead()))
    } catch (error) {
      // If a browser refuses locks or lacks them, every tab has its own connection.
      if ((error as Error).name !== "AbortError") return void this.lead()
      // This tab was silent for too long, and another tab took the lead: follow it.
      this.connection?.stop()
      this.connection = null
      if (!this.isStopped) void this.waitForLead({})
    }
  }

  /** A frozen leader sends nothing. Its last phase may be wrong by then, so this tab takes the lead. */
  private checkLeader(): void {
    if (this.connection !== null || performance.now() - this.receivedAt < SILENCE_MS) return
    this.receivedAt = performance.now()
    this.setPhase("connecting", 0)
    void this.waitForLead({ steal: true })
  }

  private async lead(): Promise<void> {
    await this.work
    this.life ||= newName()
    const connection = new Connection(this.leaderEnvironment(), this.cursor)
    this.connection = connection
    const why = await connection.run()
    if (this.connection === connection) this.connection = null
    if (why === "signed out") this.tab.signedOut()
  }

  /** The tab's functions, which also send everything to the other tabs. */
  private leaderEnvironment(): Environment {
    return {
      ...this.tab,
      frame: (name, data, cursor) => this.frame(name, data, cursor),
      cursor: cursor => {
        const before = this.cursor ?? ""
        this.cursor = cursor
        this.sendState(before)
      },
      reload: async () => {
        this.cursor = await this.tab.reload()
        this.life = newName()
        this.sendState(this.cursor)
        return this.cursor
      },
      phase: (phase, untilMs) => {
        this.setPhase(phase, untilMs)
        this.sendState(this.cursor ?? "")
      },
    }
  }

  private frame(name: string, data: unknown, cursor: string | null): void {
    const before = this.cursor ?? ""
    this.tab.frame(name, data, cursor)
    this.cursor = cursor ?? this.cursor
    this.send({ kind: "frame", life: this.life, before, cursor: this.cursor ?? "", name, data })
  }

  private setPhase(phase: Phase, untilMs: number): void {
    this.phase = phase
    this.untilMs = untilMs
    this.tab.phase(phase, untilMs)
  }

  private sendState(before: string): void {
    const { life, cursor, phase, untilMs } = this
    this.send({ kind: "state", life, before, cursor: cursor ?? "", phase, untilMs })
  }

  private send(message: TabMessage): void {
    if (!this.isStopped) this.channel.postMessage(message)
  }

  private received(message: TabMessage): void {
    if (message.kind === "join") this.connection && this.sendState(this.cursor ?? "")
    else if (message.kind === "wake") this.connection?.wake()
    else if (message.kind === "tell") this.connection && this.tab.told(message.name, message.data)
    else if (this.connection === null) this.work = this.work.then(() => this.follow(message))
  }

  /** Messages are processed one after the other, so messages that arrive during a reload wait for it. */
  private async follow(message: Extract<TabMessage, { before: string }>): Promise<void> {
    if (this.isStopped || this.connection !== null) return
    this.receivedAt = performance.now()
    try {
      if (this.hasMissed(message)) this.cursor = await this.tab.reload()
      this.life = message.life
      this.take(message)
    } catch (error) {
      if (this.tab.isOver(error)) this.tab.signedOut()
      else this.setPhase("connecting", 0)
    }
  }

  private take(message: Extract<TabMessage, { before: string }>): void {
    if (message.kind === "frame") this.tab.frame(message.name, message.data, message.cursor)
    else this.setPhase(message.phase, message.untilMs)
    if (seqOf(message.cursor) > seqOf(this.cursor)) this.cursor = message.cursor
  }

  /** Whether this tab missed a message before this one. */
  private hasMissed({ life, before }: Extract<TabMessage, { before: string }>): boolean {
    if (before === "") return false
    if (this.cursor === null || seqOf(before) > seqOf(this.cursor)) return true
    // Between two loads the log may have gone back, so numbers are comparable only within one era.
    return life !== this.life && (this.life !== "" || eraOf(before) !== eraOf(this.cursor))
  }
}

function newName(): string {
  return `${Date.now()}-${Math.random()}`
}
