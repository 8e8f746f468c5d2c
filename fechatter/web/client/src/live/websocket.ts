/** The live stream on a WebSocket, `GET /ws`, which also carries commands to the server. */

import type { Block, Opening, Stream, Transport } from "@/live/transport"

const PROTOCOL = "fechatter.v1"
/** A proxy may accept a socket and then pass nothing on, so the first message must arrive within this time. */
const FIRST_MESSAGE_MS = 6000

/** The socket ended before its first message. The browser hides the reason. */
export class SocketRefused extends Error {}

export class WebSocketTransport implements Transport {
  private readonly ticket: () => Promise<string>

  /** `ticket` requests a ticket, which allows one connection. */
  constructor(ticket: () => Promise<string>) {
    this.ticket = ticket
  }

  /** Returns after the first message has arrived. Throws SocketRefused, and the errors of the ticket. */
  async open(opening: Opening): Promise<SocketStream> {
    const ticket = await this.ticket()
    opening.signal.throwIfAborted()
    const stream = new SocketStream(new WebSocket(addressOf(opening, ticket), PROTOCOL), opening.signal)
    await stream.begin()
    return stream
  }
}

function addressOf({ cursor, seen }: Opening, ticket: string): URL {
  const address = new URL("/ws", location.href)
  address.protocol = address.protocol.replace("http", "ws")
  address.searchParams.set("ticket", ticket)
  address.searchParams.set("last_event_id", cursor)
  if (seen !== null) address.searchParams.set("event_cursor", seen)
  return address
}

export class SocketStream implements Stream {
  /** Whether the connection broke, without a message that closes it. */
  isBroken = false
  private readonly socket: WebSocket
  private readonly openedMs = performance.now()
  private endedMs: number | null = null
  private blocks: Block[] = []
  private wake: () => void = () => undefined
  private isClosing = false

  constructor(socket: WebSocket, signal: AbortSignal) {
    this.socket = socket
    socket.onmessage = message => this.take(message.data)
    socket.onclose = () => this.end()
    signal.addEventListener("abort", () => this.close())
  }

  /** Returns when the first message has arrived. Throws SocketRefused if none arrives in time. */
  async begin(): Promise<void> {
    const late = setTimeout(() => this.close(), FIRST_MESSAGE_MS)
    await this.news()
    clearTimeout(late)
    if (this.blocks.length === 0) throw new SocketRefused()
  }

  async read(): Promise<Block[] | null> {
    await this.news()
    if (this.blocks.length === 0) return null
    // Messages of a replay arrive one by one. This collects them, so that they are shown together.
    await nextTask()
    return this.blocks.splice(0)
  }

  send(command: object): boolean {
    if (this.socket.readyState !== WebSocket.OPEN) return false
    this.socket.send(JSON.stringify(command))
    return true
  }

  /** How long the stream has been open, or was. */
  get ageMs(): number {
    return (this.endedMs ?? performance.now()) - this.openedMs
  }

  private async news(): Promise<void> {
    if (this.blocks.length === 0 && this.endedMs === null) await new Promise<void>(resolve => (this.wake = resolve))
  }

  private take(text: unknown): void {
    if (typeof text !== "string" || this.endedMs !== null) return
    const block = { id: null, event: null, data: null, ...(JSON.parse(text) as Partial<Block>) }
    this.isClosing ||= block.event === "closing"
    this.blocks.push(block)
    this.wake()
  }

  private close(): void {
    this.isClosing = true
    this.socket.close()
    this.end()
  }

  private end(): void {
    this.endedMs ??= performance.now()
    this.isBroken = !this.isClosing
    this.wake()
  }
}

/** Unlike a timer, this is not slowed down in hidden tabs. */
function nextTask(): Promise<void> {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => (port1.close(), resolve())
    port2.postMessage(null)
  })
}
