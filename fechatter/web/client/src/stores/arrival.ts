/** Brings the reader of a chat to its end, to a message, or to the first unread message. */

import { ref, shallowRef } from "vue"

export interface Place {
  readonly kind: "end" | "message" | "unread"
  /** The message's number; 0 for the end. */
  readonly number: number
}

/** The place that was reached. If `isThere` is false, the message does not exist. */
export interface Arrival extends Place {
  readonly chatId: number
  readonly isThere: boolean
}

interface Environment {
  has(chatId: number, number: number): boolean
  /** False if the messages could not be loaded, or another load has begun meanwhile. */
  loadEnd(chatId: number): Promise<boolean>
  loadAround(chatId: number, number: number): Promise<boolean>
  firstUnread(chatId: number): Promise<number | null>
  /** Called when the destination is known and before its messages are requested. */
  goingTo(place: Place): void
}

/** The reader has one destination at a time; a new one replaces the previous one. */
export class Arrivals {
  /** Null until the messages of the open chat are loaded. */
  readonly last = shallowRef<Arrival | null>(null)
  readonly isUnderWay = ref(false)
  private readonly environment: Environment
  private turn = 0
  private wanted: { chatId: number; number: number | null } | null = null

  constructor(environment: Environment) {
    this.environment = environment
  }

  /** Bring the reader to a message; if `number` is null, to the first unread message or else to the end. */
  async bring(chatId: number, number: number | null): Promise<void> {
    this.turn += 1
    const mine = this.turn
    this.isUnderWay.value = true
    this.wanted = { chatId, number }
    const place = number === null ? await this.unreadOrEnd(chatId) : { kind: "message" as const, number }
    if (mine !== this.turn) return
    this.environment.goingTo(place)
    const isLoaded = await this.load(chatId, place)
    if (mine !== this.turn || !isLoaded) return
    this.isUnderWay.value = false
    this.wanted = null
    const isThere = place.kind === "end" || this.environment.has(chatId, place.number)
    this.last.value = { ...place, chatId, isThere }
  }

  /** Retry a failed load; returns false if there is none. */
  again(): boolean {
    if (this.wanted === null) return false
    void this.bring(this.wanted.chatId, this.wanted.number)
    return true
  }

  /** Give up the destination, because the reader moves elsewhere. */
  stop(): void {
    this.turn += 1
    this.wanted = null
    this.isUnderWay.value = false
  }

  /** No chat is open. */
  leave(): void {
    this.stop()
    this.last.value = null
  }

  private async unreadOrEnd(chatId: number): Promise<Place> {
    const number = await this.environment.firstUnread(chatId)
    return number === null ? { kind: "end", number: 0 } : { kind: "unread", number }
  }

  private async load(chatId: number, { kind, number }: Place): Promise<boolean> {
    if (kind === "end") return this.environment.loadEnd(chatId)
    return this.environment.has(chatId, number) || this.environment.loadAround(chatId, number)
  }
}
