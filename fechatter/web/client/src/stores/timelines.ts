/** The loaded messages of the chats that were opened. */

import { reactive, shallowReactive } from "vue"
import { call } from "@/api/call"
import type { Message, MessagePage } from "@/api/nouns"
import { empty, hasHole, newer, newestOnly, older, start, type Timeline, withMessage } from "@/state/timeline"
import { usePeople } from "@/stores/people"
import type { ReaderPosition } from "@/stores/readerPosition"

const PAGE = 50
const MAX_CHATS = 20
const HOLE_MS = 1500

export type Loading = "first" | "older" | "newer"
type Grow = (timeline: Timeline, page: MessagePage) => Timeline

export class Timelines {
  readonly byChat = shallowReactive(new Map<number, Timeline>())
  readonly loading = reactive(new Map<number, Loading>())
  /** For each chat, the error of its last load, if the load failed. */
  readonly problems = shallowReactive(new Map<number, unknown>())
  /** Counts loads. A response to an earlier load of the same chat is dropped. */
  private readonly generations = new Map<number, number>()
  private readonly people = usePeople()
  private readonly position: ReaderPosition

  constructor(position: ReaderPosition) {
    this.position = position
  }

  has(chatId: number, number: number): boolean {
    return this.byChat.get(chatId)?.items.some(message => message.number === number) ?? false
  }

  loadNewest(chatId: number): Promise<boolean> {
    return this.load(chatId, "first", "", start)
  }

  async loadEnd(chatId: number): Promise<boolean> {
    const known = this.byChat.get(chatId)
    return (known?.isLoaded === true && !known.hasNewer) || this.loadNewest(chatId)
  }

  loadAround(chatId: number, number: number): Promise<boolean> {
    return this.load(chatId, "first", `&around=${number}`, (timeline, page) => start(empty(timeline.chatId), page))
  }

  async loadOlder(chatId: number): Promise<void> {
    const timeline = this.byChat.get(chatId)
    const first = timeline?.items[0]
    if (timeline?.hasOlder && first) await this.load(chatId, "older", `&before=${first.number}`, older)
  }

  async loadNewer(chatId: number): Promise<void> {
    const timeline = this.byChat.get(chatId)
    const last = timeline?.items.at(-1)
    if (timeline?.hasNewer && last) await this.load(chatId, "newer", `&after=${last.number}`, newer)
  }

  /** Store a timeline. If there are too many, the oldest one that is not open is dropped. */
  store(chatId: number, timeline: Timeline): void {
    this.byChat.set(chatId, timeline)
    this.people.ensure(new Set(timeline.items.map(message => message.sender_id)))
    if (this.byChat.size <= MAX_CHATS) return
    const oldest = [...this.byChat.keys()].find(id => id !== this.position.openId.value)
    if (oldest !== undefined) this.byChat.delete(oldest)
  }

  storeEmpty(chatId: number): void {
    this.store(chatId, empty(chatId))
  }

  /** A chat that is left keeps its newest page, so that it opens again without a load. */
  putAside(chatId: number | null): void {
    const known = chatId === null ? undefined : this.byChat.get(chatId)
    if (chatId === null || known === undefined) return
    this.byChat.delete(chatId)
    this.byChat.set(chatId, newestOnly(known, PAGE))
  }

  forget(chatId: number): void {
    this.byChat.delete(chatId)
    this.loading.delete(chatId)
    this.problems.delete(chatId)
    this.generations.set(chatId, this.generation(chatId) + 1)
  }

  /** Add one message from an event or a response. */
  take(message: Message): void {
    const chatId = message.chat_id
    const known = this.byChat.get(chatId)
    if (known === undefined) return
    const { openId, isAtEnd } = this.position
    const grown = withMessage(known, message, chatId !== openId.value || isAtEnd.value)
    this.store(chatId, grown)
    if (grown.isLoaded && hasHole(grown)) setTimeout(() => this.fillHole(chatId), HOLE_MS)
  }

  /** Show the messages that an earlier visit saved, until the server responds. */
  show(chatId: number, messages: Message[], hasOlder: boolean): void {
    this.byChat.set(chatId, { chatId, items: messages, hasOlder, hasNewer: false, isLoaded: true })
  }

  /** Returns the newest page of each loaded chat, to save it for the next visit. */
  newestPages(): Timeline[] {
    return [...this.byChat.values()]
      .filter(timeline => timeline.isLoaded && !timeline.hasNewer)
      .map(timeline => newestOnly(timeline, PAGE))
  }

  clear(): void {
    for (const map of [this.byChat, this.loading, this.problems, this.generations]) map.clear()
  }

  /** Each chat has one load at a time; a first load always begins. Returns whether its response was used. */
  private async load(chatId: number, what: Loading, query: string, grow: Grow): Promise<boolean> {
    if (what !== "first" && this.loading.has(chatId)) return false
    this.loading.set(chatId, what)
    const generation = this.generation(chatId) + 1
    this.generations.set(chatId, generation)
    try {
      const page = await call<MessagePage>("GET", `/api/chat/${chatId}/messages?limit=${PAGE}${query}`)
      const known = this.byChat.get(chatId)
      if (known === undefined || generation !== this.generation(chatId)) return false
      this.store(chatId, grow(known, page))
      this.problems.delete(chatId)
      return true
    } catch (error) {
      if (generation === this.generation(chatId)) this.problems.set(chatId, error)
      return false
    } finally {
      if (generation === this.generation(chatId)) this.loading.delete(chatId)
    }
  }

  private generation(chatId: number): number {
    return this.generations.get(chatId) ?? 0
  }

  /**
   * The response to a send may arrive before the events of the messages before it. If they do not arrive, load them.
   */
  private fillHole(chatId: number): void {
    const known = this.byChat.get(chatId)
    if (known && hasHole(known)) void this.loadNewest(chatId)
  }
}
