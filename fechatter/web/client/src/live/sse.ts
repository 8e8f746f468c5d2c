/** The live stream as Server-Sent Events of `GET /events`, which every proxy passes on. */

import { BlockReader } from "@/live/blocks"
import type { Opening, Stream, Transport } from "@/live/transport"

/** Returns a response that can be read in pieces. Throws if its status is 400 or higher. */
export type Fetch = (headers: Record<string, string>, signal: AbortSignal) => Promise<Response>

export class SseTransport implements Transport {
  private readonly fetch: Fetch

  constructor(fetch: Fetch) {
    this.fetch = fetch
  }

  async open({ cursor, seen, signal }: Opening): Promise<Stream> {
    const headers: Record<string, string> = { Accept: "text/event-stream", "Last-Event-ID": cursor }
    if (seen !== null) headers["Event-Cursor"] = seen
    return streamOf(await this.fetch(headers, signal))
  }
}

function streamOf(response: Response): Stream {
  if (response.body === null) throw new Error("the response has no body")
  const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader()
  const blocks = new BlockReader()
  return {
    async read() {
      const { done, value } = await pieces.read()
      return done ? null : blocks.push(value)
    },
    send: () => false,
  }
}
