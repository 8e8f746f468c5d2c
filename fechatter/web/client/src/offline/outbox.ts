/**
 * Sends messages: each once, in the order of the chat, despite reloads, lost networks and closed tabs.
 *
 * A message is stored before it is sent and deleted after the response. One tab at a time sends for a chat, which a
 * lock ensures. If the browser has no locks, the idempotency keys make a repeated send harmless.
 *
 * Each change is made in one transaction of the browser's database. The sender claims a message before it sends it, so
 * a change in another tab comes either before the claim or is applied to the message on the server.
 */

import { Problem } from "@/api/http"
import { newKey } from "@/api/key"
import type { Message } from "@/api/nouns"
import { Pause, pauseMs } from "@/api/pause"
import { SignedOut } from "@/api/token"
import type { OutboxStorage } from "@/offline/outboxStorage"
import { type Channel, openChannel } from "@/platform/channel"
import { inTurn } from "@/platform/locks"
import {
  type Change,
  claimed,
  inOrder,
  next,
  nextOrder,
  type Refusal,
  refused,
  released,
  rewritten,
  sent,
  type Waiting,
  withdrawn,
} from "@/state/waiting"

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
    await this.update(item.key, () => item)
    void this.drain(chatId)
  }

  retry(key: string): Promise<void> {
    return this.rewrite(key)
  }

  /** Withdraw a message; if a tab is sending it, it is deleted on the server. */
  async discard(key: string): Promise<void> {
    const item = await this.update(key, withdrawn)
    // The tab that sent it may be gone.
    if (item) void this.drain(item.chatId)
  }

  /** Send another content instead. */
  edit(key: string, content: string): Promise<void> {
    return this.rewrite(key, content)
  }

  private async rewrite(key: string, content?: string): Promise<void> {
    const item = await this.update(key, rewritten(content))
    if (item) void this.drain(item.chatId)
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
    this.announce()
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
  private async sendOne({ key }: Waiting, failures: number): Promise<number | null> {
    const item = await this.update(key, claimed)
    // Another tab withdrew it.
    if (!item?.claim) return null
    try {
      const [message, content] = await this.stored(item)
      this.environment.sent(item, message)
      await this.follow(key, message, content)
      return null
    } catch (error) {
      if (error instanceof Problem && !error.isTemporary) {
        await this.update(key, refused(item.content, refusalOf(error)))
        return null
      }
      if (error instanceof SignedOut) this.isStopped = true
      await this.update(key, released)
      return pauseMs(failures, error instanceof Problem ? error.retryAfterSeconds : 0)
    }
  }

  /** The server's version of the message, which may be older than the person's latest change. */
  private async stored(item: Waiting): Promise<[Message, content: string]> {
    const earlier = (item.tried ?? []).filter(one => one !== item.content)
    for (const content of [item.content, ...earlier]) {
      try {
        return [await this.environment.send({ ...item, content }), content]
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== CHANGED || earlier.length === 0) throw error
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
  private async follow(key: string, message: Message, content: string): Promise<void> {
    for (let item = await this.update(key, sent(content)); item; item = await this.update(key, sent(content))) {
      try {
        if (item.isWithdrawn) await this.environment.remove?.(message)
        else await this.environment.edit?.(message, item.content)
      } catch (error) {
        if (!(error instanceof Problem) || error.isTemporary) throw error
      }
      if (item.isWithdrawn) await this.update(key, () => undefined)
      content = item.content
    }
  }

  /** Show a change at once, make it in the storage, and notify the other tabs. Returns the stored message. */
  private async update(key: string, change: Change): Promise<Waiting | undefined> {
    const known = this.items.find(one => one.key === key)
    const expected = change(known)
    this.unsaved.set(key, expected ?? null)
    this.show(key, expected)
    const stored = await this.storage.update(key, change, known)
    if (this.unsaved.get(key) === (expected ?? null)) {
      this.unsaved.delete(key)
      this.show(key, stored)
    }
    if (!this.isStopped) this.channel.postMessage(null)
    return stored
  }

  private show(key: string, item: Waiting | undefined): void {
    const others = this.items.filter(one => one.key !== key)
    this.items = inOrder(item ? [...others, item] : others)
    this.announce()
  }

  private announce(): void {
    if (!this.isStopped) this.environment.changed(this.items.filter(item => !item.isWithdrawn))
  }
}

function refusalOf(error: Problem): Refusal {
  return { code: error.errors[0]?.code ?? error.code, detail: error.message, requestId: error.requestId }
}
