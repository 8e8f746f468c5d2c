/** The messages that are being sent, and changes of sent messages. */

import { reactive, shallowRef } from "vue"
import { call } from "@/api/call"
import type { Message } from "@/api/nouns"
import { locale } from "@/i18n"
import { Outbox } from "@/offline/outbox"
import type { OutboxStorage } from "@/offline/outboxStorage"
import type { Waiting } from "@/state/waiting"
import { withNamedEmoji } from "@/text/emoji"

interface Environment {
  /** Show a message as the server has it. */
  take(message: Message): void
  /** The server responded, so the connection may be retried at once. */
  reached(): void
}

export class Sending {
  readonly waiting = shallowRef<readonly Waiting[]>([])
  /** Keys of messages whose event arrived before the response to the send. They are already shown as messages. */
  private readonly echoed = reactive(new Set<string>())
  private readonly environment: Environment
  private outbox: Outbox | null = null
  private queue: Promise<void> = Promise.resolve()

  constructor(environment: Environment) {
    this.environment = environment
  }

  /** Send the waiting messages of this visit and of earlier ones. */
  async begin(name: string, storage: OutboxStorage): Promise<void> {
    this.outbox = new Outbox(name, storage, {
      send: ({ chatId, content, key }) =>
        call<Message>("POST", `/api/chat/${chatId}/messages`, { body: { content, idempotency_key: key } }),
      sent: (item, message) => {
        this.environment.take(message)
        this.echoed.delete(item.key)
        this.environment.reached()
      },
      edit: (message, content) => this.edit(message, content),
      remove: message => this.remove(message),
      changed: items => {
        this.waiting.value = items
      },
    })
    await this.outbox.start()
  }

  /** Returns the messages of a chat that are being sent and are not shown yet as messages. */
  waitingFor(chatId: number): Waiting[] {
    return this.waiting.value.filter(item => item.chatId === chatId && !this.echoed.has(item.key))
  }

  /** Sends in order: a message must not overtake an earlier one that waits for the list of emoji. */
  send(chatId: number, content: string): Promise<void> {
    const { outbox } = this
    const whole = withNamedEmoji(content, locale.value)
    const added = this.queue.then(async () => outbox?.add(chatId, await whole))
    this.queue = added.catch(() => undefined)
    return added
  }

  async retry(key: string): Promise<void> {
    await this.outbox?.retry(key)
  }

  async discard(key: string): Promise<void> {
    await this.outbox?.discard(key)
  }

  /** Change a message that is not sent yet. */
  async editWaiting(key: string, content: string): Promise<void> {
    await this.outbox?.edit(key, await withNamedEmoji(content, locale.value))
  }

  /** Change a sent message. Throws Problem, Unreachable. */
  async edit({ chat_id, id }: Message, content: string): Promise<void> {
    this.environment.take(await call<Message>("PATCH", `/api/chat/${chat_id}/messages/${id}`, { body: { content } }))
  }

  /** Delete a sent message. Throws Problem, Unreachable. */
  async remove(message: Message): Promise<void> {
    await call("DELETE", `/api/chat/${message.chat_id}/messages/${message.id}`)
    const deleted_at = new Date().toISOString()
    this.environment.take({ ...message, content: "", deleted_at, revision: message.revision + 1 })
  }

  /** The event of an own message arrived. */
  echo(message: Message): void {
    const mine = this.waitingFor(message.chat_id).find(item => item.content === message.content)
    if (mine) this.echoed.add(mine.key)
  }

  wake(): void {
    this.outbox?.wake()
  }

  /** Prepare for another person. */
  reset(): void {
    this.outbox?.stop()
    this.outbox = null
    this.echoed.clear()
    this.waiting.value = []
  }
}
