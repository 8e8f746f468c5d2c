/** The messages at hand of the chats that were opened, and those on their way. */

import { defineStore } from "pinia"
import { computed, reactive, ref, shallowReactive, shallowRef } from "vue"
import { call } from "@/api/call"
import type { Message, MessagePage } from "@/api/nouns"
import type { DurableEvent } from "@/state/events"
import { locale } from "@/i18n"
import { useChats } from "@/stores/chats"
import { useLive } from "@/stores/live"
import { Arrivals } from "@/stores/arrival"
import { withNamedEmoji } from "@/text/emoji"
import type { Keeping } from "@/offline/keeping"
import { Outbox } from "@/offline/outbox"
import { empty, hasHole, newer, older, rest, start, take, type Timeline } from "@/state/timeline"
import type { Waiting } from "@/state/waiting"
import { usePeople } from "@/stores/people"

const PAGE = 50
const MOST_CHATS = 20
const HOLE_MS = 1500

export type Loading = "first" | "older" | "newer"

export const useMessages = defineStore("messages", () => {
  const live = useLive()
  const people = usePeople()
  const chats = useChats()
  const timelines = shallowReactive(new Map<number, Timeline>())
  const loading = reactive(new Map<number, Loading>())
  /** Why the last load failed. */
  const problems = shallowReactive(new Map<number, unknown>())
  const openId = ref<number | null>(null)
  const isReaderAtEnd = ref(true)
  const waiting = shallowRef<readonly Waiting[]>([])
  /** One's own messages that came by the stream before the answer did: their waiting form is not shown. */
  const echoed = reactive(new Set<string>())
  const generations = new Map<number, number>()
  /** The line of new messages follows this number in the open chat; null for no line. */
  const divider = ref<number | null>(null)
  const arrivals = new Arrivals({
    has,
    loadEnd,
    loadAround,
    firstUnread: chatId => chats.firstUnread(chatId).catch(() => null),
    heading: place => {
      isReaderAtEnd.value = place.kind === "end"
    },
  })
  let outbox: Outbox | null = null
  let sending: Promise<void> = Promise.resolve()

  const timeline = computed(() => (openId.value === null ? undefined : timelines.get(openId.value)))

  /** What is still on its way to a chat and not on the screen otherwise. */
  function waitingFor(chatId: number): Waiting[] {
    return waiting.value.filter(item => item.chatId === chatId && !echoed.has(item.key))
  }

  /** Open a chat at a message's number, or at its first unread message, or at its end. */
  async function open(chatId: number, around?: number): Promise<void> {
    if (openId.value !== chatId) {
      putAside(openId.value)
      arrivals.leave()
    }
    openId.value = chatId
    keep(chatId, timelines.get(chatId) ?? empty(chatId))
    await bring(chatId, around ?? null)
  }

  async function bring(chatId: number, number: number | null): Promise<void> {
    const chat = chats.byId(chatId)
    const hasUnread = chat !== undefined && chat.unread_count > 0
    divider.value = hasUnread ? chat.last_read_number : null
    isReaderAtEnd.value = number === null && !hasUnread
    await arrivals.bring(chatId, number)
  }

  function close(): void {
    putAside(openId.value)
    openId.value = null
    arrivals.leave()
  }

  /** Bring the reader to the newest messages, seen or not. */
  async function toNewest(chatId: number): Promise<void> {
    arrivals.stop()
    isReaderAtEnd.value = true
    await loadEnd(chatId)
  }

  /** Bring the reader to the first unread message or, if all have been read meanwhile, to the line of new messages. */
  async function toFirstUnread(chatId: number): Promise<void> {
    if ((chats.byId(chatId)?.unread_count ?? 0) > 0) await bring(chatId, null)
    else if (divider.value !== null) await arrivals.bring(chatId, divider.value + 1)
  }

  function has(chatId: number, number: number): boolean {
    return timelines.get(chatId)?.items.some(message => message.number === number) ?? false
  }

  function loadNewest(chatId: number): Promise<boolean> {
    return load(chatId, "first", "", start)
  }

  async function loadEnd(chatId: number): Promise<boolean> {
    const known = timelines.get(chatId)
    return (known?.isLoaded === true && !known.hasNewer) || loadNewest(chatId)
  }

  function loadAround(chatId: number, number: number): Promise<boolean> {
    return load(chatId, "first", `&around=${number}`, (timeline, page) => start(empty(timeline.chatId), page))
  }

  async function loadOlder(chatId: number): Promise<void> {
    const timeline = timelines.get(chatId)
    const first = timeline?.items[0]
    if (timeline?.hasOlder && first) await load(chatId, "older", `&before=${first.number}`, older)
  }

  async function loadNewer(chatId: number): Promise<void> {
    const timeline = timelines.get(chatId)
    const last = timeline?.items.at(-1)
    if (timeline?.hasNewer && last) await load(chatId, "newer", `&after=${last.number}`, newer)
  }

  /** Run one load per chat at a time; a first load always begins. Returns whether its response was used. */
  async function load(
    chatId: number,
    what: Loading,
    place: string,
    by: (timeline: Timeline, page: MessagePage) => Timeline,
  ): Promise<boolean> {
    if (what !== "first" && loading.has(chatId)) return false
    loading.set(chatId, what)
    const generation = (generations.get(chatId) ?? 0) + 1
    generations.set(chatId, generation)
    try {
      const page = await call<MessagePage>("GET", `/api/chat/${chatId}/messages?limit=${PAGE}${place}`)
      const known = timelines.get(chatId)
      if (known === undefined || generation !== generations.get(chatId)) return false
      keep(chatId, by(known, page))
      problems.delete(chatId)
      return true
    } catch (error) {
      if (generation === generations.get(chatId)) problems.set(chatId, error)
      return false
    } finally {
      if (generation === generations.get(chatId)) loading.delete(chatId)
    }
  }

  function keep(chatId: number, timeline: Timeline): void {
    timelines.set(chatId, timeline)
    people.ensure(new Set(timeline.items.map(message => message.sender_id)))
    if (timelines.size <= MOST_CHATS) return
    const eldest = [...timelines.keys()].find(id => id !== openId.value)
    if (eldest !== undefined) timelines.delete(eldest)
  }

  /** A chat nobody looks at keeps its newest page, so that coming back is instant. */
  function putAside(chatId: number | null): void {
    const known = chatId === null ? undefined : timelines.get(chatId)
    if (chatId === null || known === undefined) return
    timelines.delete(chatId)
    timelines.set(chatId, rest(known, PAGE))
  }

  function apply(event: DurableEvent): void {
    if (event.chat_id === null) return
    if (event.type === "message.created") echo(event.data.message)
    if ("message" in event.data) arrive(event.data.message)
    else if (event.type === "chat.deleted") forget(event.chat_id)
    else if ("member" in event.data && event.data.member.user_id === live.world?.me.id) rejoin(event)
  }

  /** On one's own joining or leaving, what was had of the chat is dropped. */
  function rejoin(event: DurableEvent & { chat_id: number }): void {
    if (event.type === "member.role_changed") return
    forget(event.chat_id)
    if (event.type === "member.joined" && openId.value === event.chat_id) void open(event.chat_id)
  }

  function forget(chatId: number): void {
    timelines.delete(chatId)
    loading.delete(chatId)
    problems.delete(chatId)
    generations.set(chatId, (generations.get(chatId) ?? 0) + 1)
  }

  /** Take one message, from an event or an answer. */
  function arrive(message: Message): void {
    const known = timelines.get(message.chat_id)
    if (known === undefined) return
    const grown = take(known, message, message.chat_id !== openId.value || isReaderAtEnd.value)
    keep(message.chat_id, grown)
    if (grown.isLoaded && hasHole(grown)) setTimeout(() => mend(message.chat_id), HOLE_MS)
  }

  /** One's own answer may come before the events of the messages just before it; if they do not come, they are asked for. */
  function mend(chatId: number): void {
    const known = timelines.get(chatId)
    if (known && hasHole(known)) void loadNewest(chatId)
  }

  function echo(message: Message): void {
    if (message.sender_id !== live.world?.me.id) return
    const mine = waiting.value.find(
      item => item.chatId === message.chat_id && item.content === message.content && !echoed.has(item.key),
    )
    if (mine) echoed.add(mine.key)
  }

  /** Everything was loaded anew, so what is at hand may have holes: the open chat is loaded again, the others when opened. */
  function reloaded(): void {
    const open = openId.value === null ? undefined : timelines.get(openId.value)
    for (const chatId of [...timelines.keys()])
      if (chatId !== openId.value || !live.world?.chats.has(chatId)) forget(chatId)
    if (open === undefined || !live.world?.chats.has(open.chatId)) return
    if (arrivals.again()) return
    const isBehind = isReaderAtEnd.value && (chats.byId(open.chatId)?.unread_count ?? 0) > 0
    if (isBehind) return void reopen(open.chatId)
    const middle = open.hasNewer ? open.items[Math.floor(open.items.length / 2)] : undefined
    void (middle ? loadAround(open.chatId, middle.number) : loadNewest(open.chatId))
  }

  /** Messages that arrived while this page was disconnected are new; the reader starts there, as when opening the chat. */
  async function reopen(chatId: number): Promise<void> {
    forget(chatId)
    keep(chatId, empty(chatId))
    await bring(chatId, null)
  }

  /** Retry a failed load. */
  function reload(chatId: number): void {
    if (!arrivals.again()) void loadNewest(chatId)
  }

  /** Begin to send what is waiting, from this visit and earlier ones. */
  async function begin(name: string, keeping: Keeping): Promise<void> {
    outbox = new Outbox(name, keeping, {
      send: item =>
        call<Message>("POST", `/api/chat/${item.chatId}/messages`, {
          body: { content: item.content, idempotency_key: item.key },
        }),
      sent: (item, message) => {
        arrive(message)
        echoed.delete(item.key)
        live.wake()
      },
      edit,
      remove,
      changed: items => {
        waiting.value = items
      },
    })
    live.follow({ event: apply, reloaded })
    await outbox.start()
  }

  /** One after the other: what names no emoji must not overtake what waits for the list of them. */
  function send(chatId: number, content: string): Promise<void> {
    const mine = outbox
    const whole = withNamedEmoji(content, locale.value)
    const kept = sending.then(async () => mine?.add(chatId, await whole))
    sending = kept.catch(() => undefined)
    return kept
  }

  async function retry(key: string): Promise<void> {
    await outbox?.retry(key)
  }

  async function discard(key: string): Promise<void> {
    await outbox?.discard(key)
  }

  /** Change a message that is still on its way. */
  async function editWaiting(key: string, content: string): Promise<void> {
    await outbox?.edit(key, await withNamedEmoji(content, locale.value))
  }

  /** The server is there (again): send what waits, and load what could not be loaded. */
  function wake(): void {
    outbox?.wake()
    const id = openId.value
    if (id === null || !problems.has(id)) return
    if (arrivals.again()) return
    if (timelines.get(id)?.hasNewer) problems.delete(id)
    else void loadNewest(id)
  }

  /** Throws Problem, Unreachable. */
  async function edit(message: Message, content: string): Promise<void> {
    arrive(await call<Message>("PATCH", `/api/chat/${message.chat_id}/messages/${message.id}`, { body: { content } }))
  }

  /** Throws Problem, Unreachable. */
  async function remove(message: Message): Promise<void> {
    await call("DELETE", `/api/chat/${message.chat_id}/messages/${message.id}`)
    arrive({ ...message, content: "", deleted_at: new Date().toISOString(), revision: message.revision + 1 })
  }

  /** Show what an earlier visit kept, until the server answers. */
  function show(chatId: number, messages: Message[], hasOlder: boolean): void {
    timelines.set(chatId, { chatId, items: messages, hasOlder, hasNewer: false, isLoaded: true })
  }

  /** What is worth keeping for the next visit: the newest page of each chat at hand. */
  function newestPages(): Timeline[] {
    return [...timelines.values()]
      .filter(timeline => timeline.isLoaded && !timeline.hasNewer)
      .map(timeline => rest(timeline, PAGE))
  }

  /** Ready for another person. */
  function reset(): void {
    outbox?.stop()
    outbox = null
    for (const map of [timelines, loading, problems, generations]) map.clear()
    echoed.clear()
    waiting.value = []
    openId.value = null
    arrivals.leave()
  }

  return {
    timelines,
    timeline,
    loading,
    problems,
    openId,
    isReaderAtEnd,
    divider,
    arrival: arrivals.last,
    isUnderWay: arrivals.isUnderWay,
    waiting,
    waitingFor,
    open,
    close,
    has,
    toNewest,
    toFirstUnread,
    reload,
    loadOlder,
    loadNewer,
    begin,
    send,
    retry,
    discard,
    editWaiting,
    wake,
    edit,
    remove,
    show,
    newestPages,
    reset,
  }
})
