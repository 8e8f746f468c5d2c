/**
 * The live stream: reads `/events`, goes on from its cursor after every break, and says honestly how it stands.
 *
 * The cursor moves only after a frame was taken, so that a frame that was not taken comes again.
 */

import { Pause, pauseMs } from "@/api/pause"
import { BlockReader, type Block } from "@/live/blocks"

const CONNECT_MS = 15_000
const FIRST_SILENCE_MS = 30_000

/** What concerns the connection alone; `resumed` also brings read marks. */
const CONTROL = new Set(["hello", "closing"])

export type Phase = "connecting" | "live" | "waiting"

/** What a connection needs of its environment. */
export interface Environment {
  /** An answer to be read piece by piece, below 400; throws otherwise. */
  open(headers: Record<string, string>, signal: AbortSignal): Promise<Response>
  /** Take one durable event or signal. */
  frame(name: string, data: unknown, cursor: string | null): void
  /** The position up to which everything was delivered, without an event. */
  cursor(cursor: string): void
  /** Load everything anew; returns the position it stands at. */
  reload(): Promise<string>
  /** `untilMs` is when the next try comes. */
  phase(phase: Phase, untilMs: number): void
  /** Whether only signing in again helps. */
  isOver(error: unknown): boolean
  /** What the server asks to wait, in seconds. */
  retryAfterSeconds(error: unknown): number
}

/** No byte, not even a heartbeat: the server is gone, whatever the socket says. */
export class Silence extends Error {}

export class Connection {
  private readonly pause = new Pause()
  private abort = new AbortController()
  private failures = 0
  private silenceMs = FIRST_SILENCE_MS
  private needsReload: boolean
  private isStopped = false

  private readonly environment: Environment
  private cursor: string | null

  /** `cursor` null means: load everything first. */
  constructor(environment: Environment, cursor: string | null) {
    this.environment = environment
    this.cursor = cursor
    this.needsReload = cursor === null
  }

  /** Runs until it is stopped or the session ends; returns why it ended. */
  async run(): Promise<"stopped" | "signed out"> {
    while (!this.isStopped) {
      this.environment.phase("connecting", 0)
      const error = await this.tryOnce()
      if (this.isStopped) break
      if (error !== null && this.environment.isOver(error)) return "signed out"
      this.failures += 1
      const wait = pauseMs(this.failures, error === null ? 0 : this.environment.retryAfterSeconds(error))
      this.environment.phase("waiting", Date.now() + wait)
      await this.pause.sleep(wait)
    }
    return "stopped"
  }

  /** Try now instead of later. */
  wake(): void {
    this.pause.wake()
  }

  /** The network changed: what is open may be dead without having said so. */
  restart(): void {
    this.failures = 0
    this.abort.abort()
    this.wake()
  }

  stop(): void {
    this.isStopped = true
    this.restart()
  }

  /** Why the stream ended, or null when the server closed it. */
  private async tryOnce(): Promise<unknown> {
    this.abort = new AbortController()
    try {
      if (this.needsReload) await this.reload()
      await this.listen(await this.connect())
      return null
    } catch (error) {
      if (isPastReplay(error)) this.needsReload = true
      return error
    } finally {
      this.abort.abort()
    }
  }

  private async connect(): Promise<Response> {
    const late = setTimeout(() => this.abort.abort(), CONNECT_MS)
    try {
      return await this.environment.open(
        { Accept: "text/event-stream", "Last-Event-ID": this.cursor ?? "" },
        this.abort.signal,
      )
    } finally {
      clearTimeout(late)
    }
  }

  private async listen(response: Response): Promise<void> {
    if (response.body === null) throw new Silence("a response without a body")
    const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader()
    const blocks = new BlockReader()
    for (;;) {
      const { done, value } = await this.unlessSilent(pieces.read())
      if (done) return
      for (const block of blocks.push(value)) {
        const more = this.take(block)
        if (more !== null) await more
      }
    }
  }

  private async unlessSilent<T>(reading: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Silence()), this.silenceMs)
    })
    try {
      return await Promise.race([reading, silence])
    } finally {
      clearTimeout(timer)
    }
  }

  /** A promise only where something is to be waited for, so that what came together is shown together. */
  private take({ id, event, data }: Block): Promise<void> | null {
    if (event === "reset") return this.reload().then(() => this.isLive())
    if (event === "hello") this.greeted(decoded(data) as { heartbeat_seconds: number })
    if (event !== null && data !== null && !CONTROL.has(event)) this.hand(event, data, id)
    else if (id !== null) this.environment.cursor(id)
    if (id !== null) this.cursor = id
    if (event === "resumed") this.isLive()
    return null
  }

  private greeted({ heartbeat_seconds: seconds }: { heartbeat_seconds: number }): void {
    this.silenceMs = seconds * 1500 + 2000
  }

  private isLive(): void {
    this.failures = 0
    this.environment.phase("live", 0)
  }

  /** A frame this page cannot take must not stop those behind it: what is shown is then loaded anew. */
  private hand(event: string, data: string, id: string | null): void {
    try {
      this.environment.frame(event, decoded(data), id)
    } catch (error) {
      this.needsReload = true
      throw error
    }
  }

  /** A reset's own position is older than what is loaded because of it, so the answer's counts. */
  private async reload(): Promise<void> {
    this.cursor = await this.environment.reload()
    this.needsReload = false
  }
}

function decoded(data: string | null): unknown {
  return data === null ? null : JSON.parse(data)
}

/** The server does not know this position (any more). */
function isPastReplay(error: unknown): boolean {
  const code = (error as { code?: string } | null)?.code
  return code === "reset" || code === "invalid"
}
