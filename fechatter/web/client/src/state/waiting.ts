/** Messages that wait to be sent, as they are stored. Pure. */

/** The reason why the server refused a message. */
export interface Refusal {
  code: string
  detail: string
  requestId: string | null
}

export interface Waiting {
  /** The idempotency key, which is the same for all attempts. */
  key: string
  /** Increases with each message that is written while others wait; older clients did not store it. */
  order?: number
  chatId: number
  content: string
  writtenAtMs: number
  state: "waiting" | "failed"
  refusal: Refusal | null
  /** The contents that were sent. The server may have stored the first one even if no response arrived. */
  tried?: string[]
}

/** Sorts in the order of writing. Timestamps do not decide, because clocks are set back. */
export function inOrder(items: Iterable<Waiting>): Waiting[] {
  return [...items].sort((one, other) => orderOf(one) - orderOf(other) || (one.key < other.key ? -1 : 1))
}

/** Returns the order number for the next message. */
export function nextOrder(items: Iterable<Waiting>): number {
  return Math.max(0, ...[...items].map(orderOf)) + 1
}

/** Messages of an older client come first, by their keys. */
function orderOf(item: Waiting): number {
  return item.order ?? 0
}

/** Returns the next message to send in a chat. A refused message does not block later ones. */
export function next(items: readonly Waiting[], chatId: number): Waiting | undefined {
  return items.find(item => item.chatId === chatId && item.state === "waiting")
}
