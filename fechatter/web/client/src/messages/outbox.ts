/**
 * Sends what was written: each message once, those of a chat in order, through reloads, lost networks and closed tabs.
 *
 * A message is kept before it is sent and let go after it was answered. One tab at a time sends for a chat (a lock where
 * the browser has locks; the keys make a second sending harmless where it has none).
 */

import { Problem } from "@/api/http"
import type { Message } from "@/api/nouns"
import { SignedOut } from "@/api/token"
import { Pause, pauseMs } from "@/live/pause"
import { newKey } from "@/messages/key"
import { inOrder, next, type Refusal, type Waiting } from "@/messages/waiting"

/** Where waiting messages are kept. */
export interface Keeping {
  all(): Promise<Waiting[]>
  put(item: Waiting): Promise<void>
  delete(key: string): Promise<void>
}

export interface Surroundings {
  /** Throws Problem, Unreachable or SignedOut. */
  send(item: Waiting): Promise<Message>
  /** The server has it. */
  sent(item: Waiting, message: Message): void
  /** What is on its way changed, in whichever tab. */
  changed(items: readonly Waiting[]): void
}

export class Outbox {
  private items: Waiting[] = []
  /** Written a moment ago and not kept yet. */
  private readonly unkept = new Map<string, Waiting>()
  private readonly draining = new Set<number>()
  private readonly pauses = new Map<number, Pause>()
  private readonly channel: BroadcastChannel
  private readonly name: string
  private readonly keeping: Keeping
  private readonly surroundings: Surroundings
  private isStopped = false

  constructor(name: string, keeping: Keeping, surroundings: Surroundings) {
    this.name = name
    this.keeping = keeping
    this.surroundings = surroundings
    this.channel = new BroadcastChannel(`${name}-outbox`)
    this.channel.onmessage = () => void this.load()
  }

  /** Take up what an earlier page left. */
  async start(): Promise<void> {
    await this.load()
    this.wake()
  }

  stop(): void {
    this.isStopped = true
    this.channel.close()
    this.pauses.forEach(pause => pause.wake())
  }

  async add(chatId: number, content: string): Promise<void> {
    const item: Waiting = { key: newKey(), chatId, content, writtenAtMs: Date.now(), state: "waiting", refusal: null }
    this.items = [...this.items, item]
    this.unkept.set(item.key, item)
    this.surroundings.changed(this.items)
    await this.keeping.put(item)
    this.unkept.delete(item.key)
    this.channel.postMessage(null)
    void this.drain(chatId)
  }

  async retry(key: string): Promise<void> {
    const item = this.items.find(one => one.key === key)
    if (item === undefined) return
    await this.change(item, { state: "waiting", refusal: null })
    void this.drain(item.chatId)
  }

  async discard(key: string): Promise<void> {
    await this.remove(key)
  }

  /** The server is there (again): try now what waits. */
  wake(): void {
    this.pauses.forEach(pause => pause.wake())
    new Set(this.items.map(item => item.chatId)).forEach(chatId => void this.drain(chatId))
  }

  private async load(): Promise<void> {
    const kept = await this.keeping.all()
    if (this.isStopped) return
    const known = new Map([...this.unkept, ...kept.map(item => [item.key, item] as const)])
    this.items = inOrder(known.values())
    this.surroundings.changed(this.items)
  }

  private async drain(chatId: number): Promise<void> {
    if (this.draining.has(chatId) || this.isStopped) return
    this.draining.add(chatId)
    try {
      await this.alone(chatId, () => this.sendAll(chatId))
    } finally {
      this.draining.delete(chatId)
    }
    // Something may have been added between the last look and the end.
    if (!this.isStopped && next(this.items, chatId) && !this.pauses.has(chatId)) void this.drain(chatId)
  }

  private async alone(chatId: number, work: () => Promise<void>): Promise<void> {
    if (navigator.locks === undefined) return work()
    await navigator.locks.request(`${this.name}-send-${chatId}`, work)
  }

  private async sendAll(chatId: number): Promise<void> {
    // Another tab may have sent meanwhile what this one still knows as waiting.
    await this.load()
    let failures = 0
    for (let item = next(this.items, chatId); item && !this.isStopped; item = next(this.items, chatId)) {
      const wait = await this.sendOne(item, failures + 1)
      failures = wait === null ? 0 : failures + 1
      if (wait !== null) await this.sleep(chatId, wait)
    }
  }

  /** Returns how long to wait before the next try, or null when this one is done with. */
  private async sendOne(item: Waiting, failures: number): Promise<number | null> {
    try {
      const message = await this.surroundings.send(item)
      this.surroundings.sent(item, message)
      await this.remove(item.key)
      return null
    } catch (error) {
      if (error instanceof Problem && !error.isTemporary) {
        await this.change(item, { state: "failed", refusal: refusalOf(error) })
        return null
      }
      if (error instanceof SignedOut) this.isStopped = true
      return pauseMs(failures, error instanceof Problem ? error.retryAfterSeconds : 0)
    }
  }

  private async sleep(chatId: number, milliseconds: number): Promise<void> {
    if (this.isStopped) return
    const pause = new Pause()
    this.pauses.set(chatId, pause)
    await pause.sleep(milliseconds)
    this.pauses.delete(chatId)
  }

  private async change(item: Waiting, facts: Partial<Waiting>): Promise<void> {
    const changed = { ...item, ...facts }
    this.items = this.items.map(one => (one.key === item.key ? changed : one))
    this.surroundings.changed(this.items)
    await this.keeping.put(changed)
    if (!this.isStopped) this.channel.postMessage(null)
  }

  private async remove(key: string): Promise<void> {
    this.items = this.items.filter(one => one.key !== key)
    this.surroundings.changed(this.items)
    await this.keeping.delete(key)
    if (!this.isStopped) this.channel.postMessage(null)
  }
}

function refusalOf(error: Problem): Refusal {
  return { code: error.errors[0]?.code ?? error.code, detail: error.message, requestId: error.requestId }
}
