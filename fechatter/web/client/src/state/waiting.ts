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
  /** A tab sends the message now, or the server has stored it and needs a later change. */
  claim?: "sending" | "stored"
  /** The person withdrew the message after a tab had claimed it, so it is deleted on the server. */
  isWithdrawn?: true
}

/** A change of a stored message; `undefined` stands for a message that is not stored. Pure. */
export type Change = (item: Waiting | undefined) => Waiting | undefined

/** Start to send. The result has no claim if there is nothing to send. */
export const claimed: Change = item => {
  if (item?.state !== "waiting") return item
  const { content, tried = [], claim = "sending" } = item
  return { ...item, claim, tried: tried.includes(content) ? tried : [...tried, content] }
}

/** Sending failed and is tried again later. */
export const released: Change = item => {
  if (item?.claim !== "sending") return item
  return item.isWithdrawn ? undefined : unclaimed(item)
}

/** The server refused this content. */
export function refused(content: string, refusal: Refusal): Change {
  return item => {
    if (item === undefined || item.isWithdrawn || item.claim === "stored") return undefined
    return item.content === content ? { ...unclaimed(item), state: "failed", refusal } : unclaimed(item)
  }
}

/** The server has stored this content. The result is what it must still change, or nothing. */
export function sent(content: string): Change {
  return item => (item && (item.isWithdrawn || item.content !== content) ? { ...item, claim: "stored" } : undefined)
}

/** The person withdrew the message. If a tab sends it, that tab deletes it on the server. */
export const withdrawn: Change = item => (item?.claim ? { ...item, isWithdrawn: true } : undefined)

/** The person changed the message or wants to send it again. */
export function rewritten(content?: string): Change {
  return item => item && { ...item, content: content ?? item.content, state: "waiting", refusal: null }
}

function unclaimed({ claim: _, ...item }: Waiting): Waiting {
  return item
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
