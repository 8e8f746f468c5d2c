/** Loads the workspace and then follows the live stream. */

import { call, openStream, positions, repeatPending } from "@/api/call"
import { Problem } from "@/api/http"
import type { Frame, ReadMark } from "@/api/nouns"
import { Pause, pauseMs } from "@/api/pause"
import type { Signal } from "@/api/signals"
import { SignedOut } from "@/api/token"
import { ChosenTransport } from "@/live/choice"
import { isPastReplay } from "@/live/connection"
import { SharedConnection, type Tab } from "@/live/shared"
import { SseTransport } from "@/live/sse"
import { WebSocketTransport } from "@/live/websocket"
import type { DurableEvent } from "@/state/events"
import type { LiveState } from "@/stores/liveState"

export class LiveStream {
  private readonly state: LiveState
  private readonly pause = new Pause()
  private readonly transport = new ChosenTransport({
    socket: new WebSocketTransport(newTicket),
    sse: new SseTransport((headers, signal) => openStream("/events", headers, signal)),
    isMissing,
  })
  private connection: SharedConnection | null = null
  /** The number of streams that were opened, the current one included. */
  private opened = 0
  /** The positions in the request of the newest stream, or null. */
  private sent: string | null = null

  constructor(state: LiveState) {
    this.state = state
  }

  /** Whether this tab has the connection and acts for all tabs of the person. */
  get isLeading(): boolean {
    return this.connection?.isLeading ?? false
  }

  /** Load the workspace, with retries, and follow it. Returns when it is loaded or the session has ended. */
  async start(): Promise<void> {
    const { visit } = this.state
    for (let failures = 1; this.state.phase.value !== "over" && visit === this.state.visit; failures += 1) {
      try {
        this.state.setPhase("connecting", 0)
        return this.connect(await this.state.reload())
      } catch (error) {
        if (visit !== this.state.visit) return
        if (error instanceof SignedOut) return this.end()
        await this.sleep(pauseMs(failures, retryAfterSeconds(error)))
      }
    }
  }

  /** Try now instead of later. */
  wake(): void {
    this.pause.wake()
    this.connection?.wake()
  }

  /** The browser reports that its network is back or has changed. */
  restart(): void {
    this.pause.wake()
    this.connection?.restart()
  }

  stop(): void {
    this.connection?.stop()
    this.connection = null
    this.pause.wake()
  }

  /** Pass a message to the tab that leads. Without a connection it is dropped. */
  tell(name: string, data: unknown): void {
    this.connection?.tell(name, data)
  }

  /** Show a frame in all tabs, as if the server had sent it. Only for the tab that leads. */
  share(name: string, data: unknown): void {
    this.connection?.share(name, data)
  }

  /** Send a command on this tab's stream. Returns false if it must be sent as a request. */
  command(command: object): boolean {
    return this.connection?.command(command) ?? false
  }

  private async sleep(milliseconds: number): Promise<void> {
    this.state.setPhase("waiting", Date.now() + milliseconds)
    await this.pause.sleep(milliseconds)
  }

  private connect(cursor: string): void {
    const { state } = this
    const tab: Tab = {
      open: (cursor, signal) => this.transport.open({ cursor, seen: this.seen(), signal }),
      frame: (name, data) => this.take(name, data),
      reload: () => state.reload(),
      phase: (phase, untilMs) => state.setPhase(phase, untilMs),
      isOver: error => error instanceof SignedOut,
      retryAfterSeconds,
      signedOut: () => this.end(),
      told: (name, data) => state.told(name, data),
    }
    this.opened = 0
    this.connection = new SharedConnection(`fechatter-live-${state.world.value?.me.id}`, tab, cursor)
    this.connection.start()
  }

  /** The position that a stream must still contain. The log may have gone back since the pending requests were sent. */
  private seen(): string | null {
    if (this.opened > 0) repeatPending()
    this.opened += 1
    this.sent = positions.header()
    return this.sent
  }

  private take(name: string, data: unknown): void {
    const frame = { name, data } as Frame
    if (frame.name === "resumed") this.resumed(frame.data.reads)
    else if (frame.name === "read.moved") this.state.moveMark(frame.data.data.read)
    else if (isNumbered(data)) this.takeEvent(data as DurableEvent)
    else this.state.signal({ name, data } as Signal)
  }

  private resumed(marks: readonly ReadMark[]): void {
    this.state.resumeMarks(marks)
    // The log may also have gone back between the stream's request and its response.
    if (this.opened > 1) repeatPending()
    if (positions.header() === this.sent) positions.confirm()
    else void this.checkPositions()
  }

  /** The stream's request did not contain the positions of later responses, or of another tab. */
  private async checkPositions(): Promise<void> {
    const [newest, header] = [positions.newest(), positions.header()]
    if (newest === null || header === null) return
    try {
      await call("GET", `/api/events?limit=1&after=${newest}`, { headers: { "Event-Cursor": header } })
      positions.confirm()
    } catch (error) {
      // Other errors leave the positions for the next check.
      if (isPastReplay(error)) await this.state.reload().catch(() => undefined)
    }
  }

  private takeEvent(event: DurableEvent): void {
    if (this.state.world.value === null) return
    // The server could not read the event, so only a full reload shows its effect.
    if ((event.type as string) === "unreadable") void this.state.reload().catch(() => this.restart())
    else this.state.apply(event)
  }

  private end(): void {
    this.stop()
    this.state.setPhase("over", 0)
  }
}

async function newTicket(): Promise<string> {
  return (await call<{ ticket: string }>("POST", "/api/stream-ticket")).ticket
}

/** Whether the server, or a proxy before it, has no tickets. */
function isMissing(error: unknown): boolean {
  return error instanceof Problem && (error.status === 404 || error.status === 405)
}

/** Events have a number, and signals have none. */
function isNumbered(data: unknown): boolean {
  return typeof (data as { seq?: unknown } | null)?.seq === "number"
}

function retryAfterSeconds(error: unknown): number {
  return error instanceof Problem ? error.retryAfterSeconds : 0
}
