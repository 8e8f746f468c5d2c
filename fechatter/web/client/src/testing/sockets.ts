/** A model of the browser's sockets, connected to a model of the server. */

import { vi } from "vitest"
import type { FakeStreams, Sink } from "@/testing/stream"

/** What happens to new sockets: they open, they are refused, or a proxy accepts them and passes nothing on. */
export type Fate = "open" | "refused" | "silent"

export class FakeSockets {
  fate: Fate = "open"
  /** The addresses of all sockets that were tried. */
  readonly tried: URL[] = []
  /** The texts that clients sent. */
  readonly received: unknown[] = []

  /** Replaces the browser's sockets until the test ends. */
  constructor(server: FakeStreams) {
    const sockets = this
    vi.stubGlobal(
      "WebSocket",
      class extends FakeSocket {
        constructor(address: URL) {
          super(sockets, server, address)
        }
      },
    )
    // The model has no tasks, only microtasks.
    vi.stubGlobal("MessageChannel", FakeMessageChannel)
  }
}

class FakeSocket implements Sink {
  static readonly OPEN = 1
  readyState = 0
  onmessage: ((message: { data: unknown }) => void) | null = null
  onclose: (() => void) | null = null
  private readonly sockets: FakeSockets
  private readonly server: FakeStreams

  constructor(sockets: FakeSockets, server: FakeStreams, address: URL) {
    this.sockets = sockets
    this.server = server
    sockets.tried.push(address)
    queueMicrotask(() => this.begin(address))
  }

  write(block: object): void {
    this.onmessage?.({ data: JSON.stringify(block) })
  }

  break(): void {
    this.readyState = 3
    this.onclose?.()
  }

  send(text: string): void {
    this.sockets.received.push(JSON.parse(text))
  }

  close(): void {
    this.server.end(this)
    this.break()
  }

  private begin(address: URL): void {
    if (this.readyState !== 0) return
    if (this.sockets.fate === "refused" || this.server.isAway) return this.break()
    this.readyState = FakeSocket.OPEN
    if (this.sockets.fate === "open") this.server.begin(this, address.searchParams.get("last_event_id"))
  }
}

class FakeMessageChannel {
  readonly port1: { onmessage: (() => void) | null; close: () => void } = { onmessage: null, close: () => undefined }
  readonly port2 = { postMessage: () => queueMicrotask(() => this.port1.onmessage?.()) }
}
