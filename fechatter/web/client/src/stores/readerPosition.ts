/** The reader's position in the open chat. */

import { ref, type Ref } from "vue"

export interface ReaderPosition {
  /** The open chat, or null. */
  openId: Ref<number | null>
  isAtEnd: Ref<boolean>
  /** The line of new messages follows this number in the open chat; null for no line. */
  divider: Ref<number | null>
}

export function readerPosition(): ReaderPosition {
  return { openId: ref<number | null>(null), isAtEnd: ref(true), divider: ref<number | null>(null) }
}
