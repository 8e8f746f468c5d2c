/** An outbox in front of a model of the server and of the browser's storage, for tests. */

import { vi } from "vitest"
import { Problem, Unreachable } from "@/api/http"
import type { Message } from "@/api/nouns"
import { Outbox, type OutboxStorage } from "@/offline/outbox"
import type { Change, Waiting } from "@/state/waiting"
import { FakeLocks } from "@/testing/locks"

/** The browser's storage for the time of the test. */
class Memory implements OutboxStorage {
  readonly rows = new Map<string, Waiting>()

  async all() {
    return [...this.rows.values()]
  }

  async update(key: string, change: Change) {
    const item = change(this.rows.get(key))
    if (item) this.rows.set(key, item)
    else this.rows.delete(key)
    return item
  }
}

/** A server that stores each key once and can be unreachable. */
class Server {
  readonly stored = new Map<string, Message>()
  response: (item: Waiting) => Error | null = () => null
  /** The number of messages that are stored although their response is lost. */
  losesAnswers = 0

  failsChanges = 0
  /** Runs while a message is on its way to the server. */
  during: (() => Promise<void>) | null = null

  async send(item: Waiting): Promise<Message> {
    await Promise.resolve()
    const { during } = this
    this.during = null
    await during?.()
    const refusal = this.response(item)
    if (refusal) throw refusal
    const known = this.stored.get(item.key)
    if (known && known.content !== item.content) throw new Problem(409, { code: "idempotency_conflict" })
    const message = known ?? ({ number: this.stored.size + 1, content: item.content } as Message)
    this.stored.set(item.key, message)
    if (this.losesAnswers-- > 0) throw new Unreachable("lost")
    return message
  }

  change(message: Message, content: string | null): void {
    if (this.failsChanges-- > 0) throw new Unreachable("away")
    const [key] = [...this.stored].find(([, known]) => known.number === message.number)!
    if (content === null) this.stored.delete(key)
    else this.stored.set(key, { ...message, content })
  }

  get contents() {
    return [...this.stored.values()].map(message => message.content)
  }
}

export let memory: Memory
export let server: Server
/** The waiting messages as the newest page shows them. */
export let shown: readonly Waiting[]
const open: Outbox[] = []

export function setUp(): void {
  vi.useFakeTimers()
  vi.stubGlobal("navigator", { locks: new FakeLocks() })
  memory = new Memory()
  server = new Server()
  shown = []
}

export function tearDown(): void {
  open.splice(0).forEach(one => one.stop())
  vi.useRealTimers()
  vi.unstubAllGlobals()
}

/** The outbox of a tab. After a reload of the modules, `Made` is the new class. */
export function outbox(Made: typeof Outbox = Outbox): Outbox {
  const made = new Made("test", memory, {
    send: item => server.send(item),
    sent: () => undefined,
    edit: async (message, content) => server.change(message, content),
    remove: async message => server.change(message, null),
    changed: items => (shown = items),
  })
  open.push(made)
  return made
}

export const settle = () => vi.advanceTimersByTimeAsync(120_000)
