/**
 * Chooses the transport: a WebSocket, or Server-Sent Events where a proxy blocks sockets.
 *
 * The browser does not report why a socket failed. If Server-Sent Events then work, only the socket is blocked. The
 * choice is remembered for a while, for all tabs and visits, and then the socket is tried again.
 */

import { SocketRefused, type SocketStream } from "@/live/websocket"
import type { Opening, Stream, Transport } from "@/live/transport"
import { browserStorage } from "@/platform/storage"

const KEY = "fechatter.socket-blocked-until"
const REMEMBERED_MS = 30 * 60_000
/** A socket that breaks within this time was cut by a proxy. */
const SHORT_MS = 20_000
const MAX_SHORT = 3

interface Options {
  socket: { open(opening: Opening): Promise<SocketStream> }
  sse: Transport
  /** Whether the server offers no sockets. */
  isMissing(error: unknown): boolean
}

export class ChosenTransport implements Transport {
  private readonly options: Options
  private last: SocketStream | null = null
  /** The number of sockets that broke soon, one after the other. */
  private short = 0

  constructor(options: Options) {
    this.options = options
  }

  async open(opening: Opening): Promise<Stream> {
    this.countShort()
    if (isBlocked()) return this.options.sse.open(opening)
    try {
      this.last = await this.options.socket.open(opening)
      return this.last
    } catch (error) {
      if (!(error instanceof SocketRefused) && !this.options.isMissing(error)) throw error
      opening.signal.throwIfAborted()
    }
    const stream = await this.options.sse.open(opening)
    block()
    return stream
  }

  private countShort(): void {
    const isShort = this.last !== null && this.last.isBroken && this.last.ageMs < SHORT_MS
    this.short = isShort ? this.short + 1 : 0
    this.last = null
    if (this.short >= MAX_SHORT) block()
  }
}

function isBlocked(): boolean {
  const left = Number(browserStorage.get(KEY)) - Date.now()
  // A time too far away comes from a clock that was wrong.
  return left > 0 && left <= REMEMBERED_MS
}

function block(): void {
  browserStorage.set(KEY, String(Date.now() + REMEMBERED_MS))
}
