/** A model of a server's live streams: numbered events, cursors, heartbeats and interruptions. */

import { seqOf } from "@/api/cursor"

const encoder = new TextEncoder()

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
  private readonly open = new Set<ReadableStreamDefaultController<Uint8Array>>()

  /** Returns the response of `/events`. */
  connect(headers: Record<string, string>, signal: AbortSignal): Response {
    if (this.isAway) throw new Error("away")
    this.opened += 1
    const cursor = seqOf(headers["Last-Event-ID"] ?? null)
    const isKept = (headers["Last-Event-ID"] ?? "e.0") === this.position(cursor)
    let mine: ReadableStreamDefaultController<Uint8Array>
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        mine = controller
        this.open.add(controller)
        const id = isKept ? `id: ${this.position(cursor)}\n` : ""
        this.write(controller, `${id}event: hello\ndata: {"heartbeat_seconds":20}\n\n`)
        this.replay(controller, cursor, isKept)
      },
      cancel: () => void this.open.delete(mine),
    })
    signal.addEventListener("abort", () => this.break(mine))
    return new Response(body)
  }

  /** Returns the position of number `seq`. */
  position(seq: number): string {
    return `${this.eras.get(seq) ?? "e"}.${seq}`
  }

  send(): void {
    this.head += 1
    this.eras.set(this.head, this.era)
    this.open.forEach(stream => this.write(stream, this.event(this.head)))
  }

  /** Replaces the log by an older copy and sends `reset` to all streams. */
  goBack(head: number): void {
    this.head = head
    this.era = "another"
    this.open.forEach(stream => this.write(stream, this.reset("ahead")))
  }

  heartbeat(): void {
    this.open.forEach(stream => this.write(stream, `id: ${this.position(this.head)}\n\n`))
  }

  /** Ends all streams as the death of the server does. */
  breakAll(): void {
    this.open.forEach(stream => this.break(stream))
  }

  private replay(stream: ReadableStreamDefaultController<Uint8Array>, cursor: number, isKept: boolean): void {
    if (!isKept || cursor < this.floor) return this.write(stream, this.reset("too_many"))
    for (let number = cursor + 1; number <= this.head; number += 1) this.write(stream, this.event(number))
    const here = this.position(this.head)
    const data = { from: this.position(cursor), to: here, reads: [] }
    this.write(stream, `id: ${here}\nevent: resumed\ndata: ${JSON.stringify(data)}\n\n`)
  }

  private reset(reason: string): string {
    const data = { reason, epoch: this.era, head: this.head }
    return `id: ${this.position(this.head)}\nevent: reset\ndata: ${JSON.stringify(data)}\n\n`
  }

  private event(number: number): string {
    return `id: ${this.position(number)}\nevent: message.created\ndata: {"seq":${number}}\n\n`
  }

  private write(stream: ReadableStreamDefaultController<Uint8Array>, text: string): void {
    stream.enqueue(encoder.encode(text))
  }

  private break(stream: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.open.delete(stream)) stream.error(new Error("broken"))
  }
}
