/**
 * The live stream: it is read through a transport, resumes after each interruption, and reports its phase.
 *
 * The cursor moves only after a frame was applied. If a frame was not applied, the server sends it again.
 */

import { Pause, pauseMs } from "@/api/pause"
import type { Block, Stream } from "@/live/transport"

const CONNECT_MS = 15_000
const FIRST_SILENCE_MS = 30_000

/** Frames for the connection itself. `resumed` is not among them, because it also carries read marks. */
const CONTROL = new Set(["hello", "closing"])

export type Phase = "connecting" | "live" | "waiting"

/** The services that a connection uses. */
export interface Environment {
  /** Opens a stream that continues after `cursor`; `signal` ends it. */
  open(cursor: string, signal: AbortSignal): Promise<Stream>
  /** Apply one durable event or signal. */
  frame(name: string, data: unknown, cursor: string | null): void
  /** A heartbeat: everything up to this position was delivered. */
  cursor(cursor: string): void
  /** Load everything again; returns the position of the new state. */
  reload(): Promise<string>
  /** `untilMs` is the time of the next attempt. */
  phase(phase: Phase, untilMs: number): void
  /** Whether the session has ended, so that only signing in again helps. */
  isOver(error: unknown): boolean
  /** The server's Retry-After. */
  retryAfterSeconds(error: unknown): number
}

/** No byte arrived in time, not even a heartbeat, so the server is gone even if the socket is open. */
export class Silence extends Error {}

export class Connection {
  private readonly pause = new Pause()
  private abort = new AbortController()
  private failures = 0
  private silenceMs = FIRST_SILENCE_MS
  private needsReload: boolean
  private isStopped = false
  private stream: Stream | null = null

  private readonly environment: Environment
  private cursor: string | null

  /** If `cursor` is null, everything is loaded first. */
  constructor(environment: Environment, cursor: string | null) {
    this.environment = environment
    this.cursor = cursor
    this.needsReload = cursor === null
  }

  /** Runs until it is stopped or the session ends; returns the reason. */
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

  /** The network changed, so an open stream may be dead without an error. */
  restart(): void {
    this.failures = 0
    this.abort.abort()
    this.wake()
  }

  /** Send a command on the open stream. Returns false if it must be sent as a request. */
  send(command: object): boolean {
    return this.stream?.send(command) ?? false
  }

  stop(): void {
    this.isStopped = true
    this.restart()
  }

  /** Returns the error that ended the stream, or null if the server closed it. */
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
      this.stream = null
      this.abort.abort()
    }
  }

  private async connect(): Promise<Stream> {
    const late = setTimeout(() => this.abort.abort(), CONNECT_MS)
    try {
      return await this.environment.open(this.cursor ?? "", this.abort.signal)
    } finally {
      clearTimeout(late)
    }
  }

  private async listen(stream: Stream): Promise<void> {
    this.stream = stream
    for (;;) {
      const blocks = await this.unlessSilent(stream.read())
      if (blocks === null) return
      for (const block of blocks) {
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

  /** Returns a promise only if the block needs a wait, so that blocks that arrive together are shown together. */
  private take({ id, event, data }: Block): Promise<void> | null {
    if (event === "reset") return this.reload().then(() => this.becomeLive())
    if (event === "hello") this.useHeartbeat(data as { heartbeat_seconds: number })
    if (event !== null && data !== null && !CONTROL.has(event)) this.pass(event, data, id)
    else if (id !== null) this.environment.cursor(id)
    if (id !== null) this.cursor = id
    if (event === "resumed") this.becomeLive()
    return null
  }

  private useHeartbeat({ heartbeat_seconds: seconds }: { heartbeat_seconds: number }): void {
    this.silenceMs = seconds * 1500 + 2000
  }

  private becomeLive(): void {
    this.failures = 0
    this.environment.phase("live", 0)
  }

  /** A frame that this page cannot apply must not stop later frames, so everything is loaded again. */
  private pass(event: string, data: unknown, id: string | null): void {
    try {
      this.environment.frame(event, data, id)
    } catch (error) {
      this.needsReload = true
      throw error
    }
  }

  /** The position of the loaded state is newer than the position in the `reset` frame. */
  private async reload(): Promise<void> {
    this.cursor = await this.environment.reload()
    this.needsReload = false
  }
}

/** Whether the server can no longer continue from the position that was sent. */
export function isPastReplay(error: unknown): boolean {
  const code = (error as { code?: string } | null)?.code
  return code === "reset" || code === "invalid"
}
