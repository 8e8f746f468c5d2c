/**
 * Sends messages: each once, in the order of the chat, despite reloads, lost networks and closed tabs.
 *
 * A message is stored before it is sent and deleted after the response. One tab at a time sends for a chat, which a
 * lock ensures. If the browser has no locks, the idempotency keys make a repeated send harmless.
 */

import { Problem } from "@/api/http"
import { newKey } from "@/api/key"
import type { Message } from "@/api/nouns"
import { Pause, pauseMs } from "@/api/pause"
import { SignedOut } from "@/api/token"
import type { OutboxStorage } from "@/offline/outboxStorage"
import { type Channel, openChannel } from "@/platform/channel"
import { inTurn } from "@/platform/locks"
import { inOrder, next, nextOrder, type Refusal, type Waiting } from "@/state/waiting"

export type { OutboxStorage } from "@/offline/outboxStorage"

export interface Environment {
  /** Throws Problem, Unreachable or SignedOut. */
  send(item: Waiting): Promise<Message>
  /** The server has stored the message. */
  sent(item: Waiting, message: Message): void
  /** Change a message that the server has. Throws as `send`. */
  edit?(message: Message, content: string): Promise<void>
  /** Delete a message that the server has. Throws as `send`. */
  remove?(message: Message): Promise<void>
  /** The waiting messages changed, in this tab or another one. */
  changed(items: readonly Waiting[]): void
}

/** The code of the error if the key was used for another content. */
const CHANGED = "idempotency_conflict"

export class Outbox {
  private items: Waiting[] = []
  /** Recent changes that are not stored yet; null for a message that is removed. */
  private readonly unsaved = new Map<string, Waiting | null>()
  private readonly draining = new Set<number>()
  /** The keys of messages that are being sent, and whether they were withdrawn meanwhile. */
  private readonly sending = new Map<string, boolean>()
  private readonly pauses = new Map<number, Pause>()
  private readonly channel: Channel
  private readonly name: string
  private readonly storage: OutboxStorage
  private readonly environment: Environment
  private isStopped = false

  constructor(name: string, storage: OutboxStorage, environment: Environment) {
    this.name = name
    this.storage = storage
    this.environment = environment
    this.channel = openChannel(`${name}-outbox`)
    this.channel.onmessage = () => void this.load()
  }

  /** Send the messages of earlier pages. */
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
    const order = nextOrder(this.items)
    const writtenAtMs = Date.now()
    const item: Waiting = { key: newKey(), order, chatId, content, writtenAtMs, state: "waiting", refusal: null }
    await this.save(item, [...this.items, item])
    void this.drain(chatId)
  }

  async retry(key: string): Promise<void> {
    const item = this.items.find(one => one.key === key)
    if (item === undefined) return
    await this.change(item, { state: "waiting", refusal: null })
    void this.drain(item.chatId)
  }

  /** Withdraw a message; if it is being sent, it is deleted on the server. */
  async discard(key: string): Promise<void> {
    if (this.sending.has(key)) this.sending.set(key, true)
    await this.remove(key)
  }

  /** Send another content instead. */
  async edit(key: string, content: string): Promise<void> {
    const item = this.items.find(one => one.key === key)
    if (item === undefined) return
    await this.change(item, { content, state: "waiting", refusal: null })
    void this.drain(item.chatId)
  }

  /** The server can be reached: try again now. */
  wake(): void {
    this.pauses.forEach(pause => pause.wake())
    new Set(this.items.map(item => item.chatId)).forEach(chatId => void this.drain(chatId))
  }

  private async load(): Promise<void> {
    const stored = await this.storage.all()
    if (this.isStopped) return
    const known = new Map([...stored.map(item => [item.key, item] as const), ...this.unsaved])
    this.items = inOrder([...known.values()].filter(item => item !== null))
    this.environment.changed(this.items)
  }

  private async drain(chatId: number): Promise<void> {
    if (this.draining.has(chatId) || this.isStopped) return
    this.draining.add(chatId)
    try {
      await inTurn(`${this.name}-send-${chatId}`, () => this.sendAll(chatId))
    } finally {
      this.draining.delete(chatId)
    }
    // A message may have been added after the last check.
    if (!this.isStopped && next(this.items, chatId) && !this.pauses.has(chatId)) void this.drain(chatId)
  }

  private async sendAll(chatId: number): Promise<void> {
    // Another tab may have sent messages that are still waiting in this tab's memory.
    await this.load()
    let failures = 0
    for (let item = next(this.items, chatId); item && !this.isStopped; item = next(this.items, chatId)) {
      const wait = await this.sendOne(item, failures + 1)
      failures = wait === null ? 0 : failures + 1
      if (wait !== null) await this.sleep(chatId, wait)
    }
  }

  /** Returns the time to wait before the next attempt, or null if this message needs no further attempt. */
  private async sendOne(item: Waiting, failures: number): Promise<number | null> {
    this.sending.set(item.key, false)
    try {
      const [message, content] = await this.stored(item)
      this.environment.sent(item, message)
      await this.follow(item.key, message, content)
      await this.remove(item.key)
      return null
    } catch (error) {
      if (error instanceof Problem && !error.isTemporary) {
        await this.change(item, { state: "failed", refusal: refusalOf(error) })
        return null
      }
      if (error instanceof SignedOut) this.isStopped = true
      return pauseMs(failures, error instanceof Problem ? error.retryAfterSeconds : 0)
    } finally {
      this.sending.delete(item.key)
    }
  }

  /** The server's version of the message, which may be older than the person's latest change. */
  private async stored(item: Waiting): Promise<[Message, content: string]> {
    const tried = item.tried ?? []
    if (!tried.includes(item.content)) void this.change(item, { tried: [...tried, item.content] })
    for (const content of [item.content, ...tried.filter(one => one !== item.content)]) {
      try {
        return [await this.environment.send({ ...item, content }), content]
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== CHANGED || tried.length === 0) throw error
      }
    }
    return [await this.environment.send(item), item.content]
  }

  private async sleep(chatId: number, milliseconds: number): Promise<void> {
    if (this.isStopped) return
    const pause = new Pause()
    this.pauses.set(chatId, pause)
    await pause.sleep(milliseconds)
    this.pauses.delete(chatId)
  }

  /** Apply the person's later changes from any tab; if the server refuses a change, the message stays as sent. */
  private async follow(key: string, message: Message, sent: string): Promise<void> {
    await this.load()
    const wanted = this.items.find(one => one.key === key)?.content ?? sent
    try {
      if (this.sending.get(key)) await this.environment.remove?.(message)
      else if (wanted !== sent) await this.environment.edit?.(message, wanted)
    } catch (error) {
      if (!(error instanceof Problem) || error.isTemporary) throw error
    }
  }

  private async change(item: Waiting, facts: Partial<Waiting>): Promise<void> {
    const now = this.items.find(one => one.key === item.key)
    // The person withdrew the message.
    if (now === undefined) return
    const changed = { ...now, ...facts }
    await this.save(
      changed,
      this.items.map(one => (one.key === item.key ? changed : one)),
    )
  }

  private async save(item: Waiting, items: Waiting[]): Promise<void> {
    this.unsaved.set(item.key, item)
    this.show(items)
    await this.storage.put(item)
    this.settle(item.key, item)
  }

  private async remove(key: string): Promise<void> {
    this.unsaved.set(key, null)
    this.show(this.items.filter(one => one.key !== key))
    await this.storage.delete(key)
    this.settle(key, null)
  }

  private show(items: Waiting[]): void {
    this.items = items
    this.environment.changed(items)
  }

  /** Record that the message is stored, and notify the other tabs. */
  private settle(key: string, item: Waiting | null): void {
    if (this.unsaved.get(key) === item) this.unsaved.delete(key)
    if (!this.isStopped) this.channel.postMessage(null)
  }
}

function refusalOf(error: Problem): Refusal {
  return { code: error.errors[0]?.code ?? error.code, detail: error.message, requestId: error.requestId }
}
