/** A proxy that simulates a newer version of the server, or a server that is gone. */

import { once } from "node:events"
import { createServer, request, type IncomingMessage, type Server as Http } from "node:http"
import type { AddressInfo } from "node:net"

const WORKER = "/service-worker.js"

export class Proxy {
  /** Simulates a newer version of the server by changing the client's service worker. */
  isNewer = false
  private port = 0
  private readonly http: Http
  private readonly target: string

  private constructor(target: string) {
    this.target = target
    this.http = createServer((incoming, answer) => {
      const { method, headers, url = "/" } = incoming
      const isWorker = url === WORKER
      // The worker is changed here, so it must arrive complete and uncompressed.
      if (isWorker) for (const name of ["accept-encoding", "if-none-match"]) delete headers[name]
      const onward = request(this.target + url, { method, headers }, found => {
        if (isWorker) return void this.changed(found).then(text => answer.writeHead(200, typeOf(found)).end(text))
        answer.writeHead(found.statusCode ?? 502, found.headers)
        found.on("error", () => answer.destroy()).pipe(answer)
      })
      onward.on("error", () => answer.destroy())
      answer.on("close", () => onward.destroy())
      incoming.pipe(onward)
    })
  }

  static async before(target: string): Promise<Proxy> {
    const made = new Proxy(target)
    made.http.listen(0, "127.0.0.1")
    await once(made.http, "listening")
    made.port = (made.http.address() as AddressInfo).port
    return made
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Stops responding. */
  async stop(): Promise<void> {
    this.http.close()
    this.http.closeAllConnections()
    await once(this.http, "close")
  }

  /** Responds again, at the same address. */
  async start(): Promise<void> {
    this.http.listen(this.port, "127.0.0.1")
    await once(this.http, "listening")
  }

  private async changed(found: IncomingMessage): Promise<string> {
    const parts = await found.toArray()
    return Buffer.concat(parts as Buffer[]).toString() + (this.isNewer ? "\n// newer" : "")
  }
}

function typeOf(found: IncomingMessage): Record<string, string> {
  return { "content-type": found.headers["content-type"] ?? "", "cache-control": "no-cache" }
}
