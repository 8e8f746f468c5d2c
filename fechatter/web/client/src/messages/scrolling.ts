/** Scrolls the message list, loads messages near its ends, and reports the reader's position to the store. */

import { nextTick, onBeforeUnmount, onBeforeUpdate, onMounted, onUpdated, ref, watch, type Ref } from "vue"
import type { Chat } from "@/api/nouns"
import { toast } from "@/components/toasts"
import { t } from "@/i18n"
import { Anchor } from "@/messages/anchor"
import { type Reader, useReader } from "@/messages/reader"
import { isAtEnd, toDivider, toEnd, toEndFromDivider, viewOf } from "@/messages/screen"
import type { Arrival } from "@/stores/arrival"
import { useMessages } from "@/stores/messages"

const HIGHLIGHT_MS = 2000
/** Messages are loaded before the reader comes this close to an end, in heights of the screen. */
const REACH = 1.5

interface Options {
  chat: () => Chat
  scroller: Readonly<Ref<HTMLElement | null>>
  isLoaded: Readonly<Ref<boolean>>
  seen: (number: number) => void
}

/** Exists as long as the message list. */
export function useScrolling(options: Options): Scrolling {
  const messages = useMessages()
  const reader = useReader({ chat: options.chat, look: () => scrolling.look(), seen: options.seen })
  const scrolling = new Scrolling(options, reader)
  const resized = new ResizeObserver(() => scrolling.resized())

  onBeforeUpdate(() => scrolling.beforeUpdate())
  onUpdated(() => scrolling.updated())
  onMounted(() => {
    if (options.scroller.value) resized.observe(options.scroller.value)
    scrolling.resized()
    scrolling.look()
  })
  onBeforeUnmount(() => resized.disconnect())
  watch(
    () => messages.arrival,
    arrival => arrival?.chatId === options.chat().id && void scrolling.arrived(arrival),
    { immediate: true, flush: "post" },
  )
  return scrolling
}

export class Scrolling {
  readonly reader: Reader
  /** The number of the message that a link leads to, while it is highlighted. */
  readonly highlighted = ref<number | null>(null)
  private readonly messages = useMessages()
  private readonly options: Options
  private readonly anchor = new Anchor()
  private isScheduled = false

  constructor(options: Options, reader: Reader) {
    this.options = options
    this.reader = reader
  }

  /** Measure once per frame, however many scroll events come. */
  scrolled(): void {
    if (this.isScheduled) return
    this.isScheduled = true
    requestAnimationFrame(() => {
      this.isScheduled = false
      this.look()
    })
  }

  /** The part of the chat on the screen decides what is loaded next and what counts as read. */
  look(): void {
    const element = this.options.scroller.value
    if (!element || !this.options.isLoaded.value || this.messages.isUnderWay) return
    const { id } = this.options.chat()
    this.messages.isReaderAtEnd = isAtEnd(element) && this.messages.timelines.get(id)?.hasNewer === false
    if (!this.messages.problems.get(id)) this.loadNear(element, id)
    const view = viewOf(element)
    if (view) this.reader.looked(view)
  }

  /** Show the newest messages. */
  async toNewest(): Promise<void> {
    this.reader.jumped()
    await this.messages.toNewest(this.options.chat().id)
    await nextTick()
    if (this.options.scroller.value) toEnd(this.options.scroller.value)
  }

  /** The messages at the reader's destination are loaded. */
  async arrived({ kind, number, isThere }: Arrival): Promise<void> {
    this.reader.jumped()
    await nextTick()
    const element = this.options.scroller.value
    if (!element) return
    if (!isThere) {
      toast({ text: t("messages.targetGone"), kind: "info" })
      return this.toNewest()
    }
    if (kind === "end" || (kind === "unread" && !toDivider(element))) toEnd(element)
    if (kind === "message") this.highlight(element, number)
    this.look()
  }

  resized(): void {
    const element = this.options.scroller.value
    if (this.messages.isReaderAtEnd && element) toEnd(element)
  }

  beforeUpdate(): void {
    const element = this.options.scroller.value
    if (element) this.anchor.take(element, this.messages.isReaderAtEnd)
  }

  updated(): void {
    const element = this.options.scroller.value
    if (!element) return
    if (!this.anchor.restore(element)) (this.reader.isAttended() ? toEnd : toEndFromDivider)(element)
    this.look()
  }

  private loadNear(element: HTMLElement, chatId: number): void {
    const reach = element.clientHeight * REACH
    const below = element.scrollHeight - element.scrollTop - element.clientHeight
    if (element.scrollTop < reach) void this.messages.loadOlder(chatId)
    if (below < reach) void this.messages.loadNewer(chatId)
  }

  /** Scroll a message to the middle and highlight it. */
  private highlight(element: HTMLElement, number: number): void {
    element.querySelector(`[data-number="${number}"]`)?.scrollIntoView({ block: "center" })
    this.highlighted.value = number
    setTimeout(() => (this.highlighted.value = null), HIGHLIGHT_MS)
  }
}
