/** A model of a server's live streams: numbered events, cursors, heartbeats and interruptions, on both transports. */

import { seqOf } from "@/api/cursor"

const encoder = new TextEncoder()

interface Block {
  id?: string
  event?: string
  data?: unknown
}

/** A client's connection. */
export interface Sink {
  write(block: Block): void
  break(): void
}

export class FakeStreams {
  /** The number of the newest event. Event `n` has the data `n`. */
  head = 0
  /** Lower cursors cannot be replayed. */
  floor = 0
  /** The era of further events. */
  era = "e"
  /** The era of each number. A missing number belongs to the first era. */
  private readonly eras = new Map<number, string>()
  isAway = false
  opened = 0
  private readonly open = new Set<Sink>()

  /** Returns the response of `/events`. */
  connect(headers: Record<string, string>, signal: AbortSignal): Response {
    if (this.isAway) throw new Error("away")
    let sink: Sink
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        sink = {
          write: block => controller.enqueue(encoder.encode(asText(block))),
          break: () => controller.error(new Error("broken")),
        }
        this.begin(sink, headers["Last-Event-ID"] ?? null)
      },
      cancel: () => void this.open.delete(sink),
    })
    signal.addEventListener("abort", () => this.break(sink))
    return new Response(body)
  }

  /** Begin a stream that continues after a cursor. */
  begin(sink: Sink, cursor: string | null): void {
    this.opened += 1
    this.open.add(sink)
    const number = seqOf(cursor)
    const isKept = (cursor ?? "e.0") === this.position(number)
    const id = isKept ? { id: this.position(number) } : {}
    sink.write({ ...id, event: "hello", data: { heartbeat_seconds: 20 } })
    this.replay(sink, number, isKept)
  }

  /** The client has closed its connection. */
  end(sink: Sink): void {
    this.open.delete(sink)
  }

  /** Returns the position of number `seq`. */
  position(seq: number): string {
    return `${this.eras.get(seq) ?? "e"}.${seq}`
  }

  send(): void {
    this.head += 1
    this.eras.set(this.head, this.era)
    this.open.forEach(stream => stream.write(this.event(this.head)))
  }

  /** Replaces the log by an older copy and sends `reset` to all streams. */
  goBack(head: number): void {
    this.head = head
    this.era = "another"
    this.open.forEach(stream => stream.write(this.reset("ahead")))
  }

  heartbeat(): void {
    this.open.forEach(stream => stream.write({ id: this.position(this.head) }))
  }

  /** Announce the end of all streams, and end them. */
  close(reason: string): void {
    this.open.forEach(stream => stream.write({ event: "closing", data: { reason } }))
    this.breakAll()
  }

  /** Ends all streams as the death of the server does. */
  breakAll(): void {
    this.open.forEach(stream => this.break(stream))
  }

  private replay(stream: Sink, cursor: number, isKept: boolean): void {
    if (!isKept || cursor < this.floor) return stream.write(this.reset("too_many"))
    for (let number = cursor + 1; number <= this.head; number += 1) stream.write(this.event(number))
    const here = this.position(this.head)
    stream.write({ id: here, event: "resumed", data: { from: this.position(cursor), to: here, reads: [] } })
  }

  private reset(reason: string): Block {
    return { id: this.position(this.head), event: "reset", data: { reason, epoch: this.era, head: this.head } }
  }

  private event(number: number): Block {
    return { id: this.position(number), event: "message.created", data: { seq: number } }
  }

  private break(stream: Sink): void {
    if (this.open.delete(stream)) stream.break()
  }
}

function asText({ id, event, data }: Block): string {
  const lines = [id && `id: ${id}`, event && `event: ${event}`, data !== undefined && `data: ${JSON.stringify(data)}`]
  return `${lines.filter(Boolean).join("\n")}\n\n`
}
