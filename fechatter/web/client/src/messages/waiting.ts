/** Messages on their way: as a value that is kept, and how it changes. Pure. */

/** Why a message was not taken, fit to be kept and shown. */
export interface Refusal {
  code: string
  detail: string
  requestId: string | null
}

export interface Waiting {
  /** The idempotency key, the same from the first try to the last. */
  key: string
  chatId: number
  content: string
  writtenAtMs: number
  state: "waiting" | "failed"
  refusal: Refusal | null
}

/** In the order of writing: keys ascend. */
export function inOrder(items: Iterable<Waiting>): Waiting[] {
  return [...items].sort((one, other) => (one.key < other.key ? -1 : 1))
}

/** The next one to send of a chat; a refused one lets those behind it pass. */
export function next(items: readonly Waiting[], chatId: number): Waiting | undefined {
  return items.find(item => item.chatId === chatId && item.state === "waiting")
}
