/** A server's live streams for tests: numbered events, cursors, heartbeats, streams that break. */

const encoder = new TextEncoder()

export class FakeStreams {
  /** The newest event's number; event `n` has the data `n`. */
  head = 0
  /** Cursors below this are past replay. */
  floor = 0
  isAway = false
  opened = 0
  private readonly open = new Set<ReadableStreamDefaultController<Uint8Array>>()

  /** What `/events` answers. */
  connect(headers: Record<string, string>, signal: AbortSignal): Response {
    if (this.isAway) throw new Error("away")
    this.opened += 1
    const cursor = Number((headers["Last-Event-ID"] ?? "e.0").slice(2))
    let mine: ReadableStreamDefaultController<Uint8Array>
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        mine = controller
        this.open.add(controller)
        this.write(controller, `id: e.${cursor}\nevent: hello\ndata: {"heartbeat_seconds":20}\n\n`)
        this.replay(controller, cursor)
      },
      cancel: () => void this.open.delete(mine),
    })
    signal.addEventListener("abort", () => this.break(mine))
    return new Response(body)
  }

  send(): void {
    this.head += 1
    this.open.forEach(stream => this.write(stream, event(this.head)))
  }

  heartbeat(): void {
    this.open.forEach(stream => this.write(stream, `id: e.${this.head}\n\n`))
  }

  /** All streams end as a server that was killed ends them. */
  breakAll(): void {
    this.open.forEach(stream => this.break(stream))
  }

  private replay(stream: ReadableStreamDefaultController<Uint8Array>, cursor: number): void {
    if (cursor < this.floor) {
      this.write(
        stream,
        `id: e.${this.head}\nevent: reset\ndata: {"reason":"too_many","epoch":"e","head":${this.head}}\n\n`,
      )
      return
    }
    for (let number = cursor + 1; number <= this.head; number += 1) this.write(stream, event(number))
    this.write(
      stream,
      `id: e.${this.head}\nevent: resumed\ndata: {"from":"e.${cursor}","to":"e.${this.head}","reads":[]}\n\n`,
    )
  }

  private write(stream: ReadableStreamDefaultController<Uint8Array>, text: string): void {
    stream.enqueue(encoder.encode(text))
  }

  private break(stream: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.open.delete(stream)) stream.error(new Error("broken"))
  }
}

function event(number: number): string {
  return `id: e.${number}\nevent: message.created\ndata: {"seq":${number}}\n\n`
}
