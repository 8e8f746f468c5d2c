/** The announcement of new messages: the text of one message, or the number of several. Pure. */

import type { Message } from "@/api/nouns"
import type { t } from "@/i18n"

const MAX_CHARACTERS = 160

export function announcement(
  messages: readonly Message[],
  name: (userId: number) => string,
  translate: typeof t,
): string {
  const [first] = messages
  if (first === undefined) return ""
  if (messages.length > 1) return translate("messages.newBelow", { count: messages.length })
  return translate("messages.newFrom", { name: name(first.sender_id), text: brief(first.content) })
}

/** Returns a message in one line, without its markup. */
export function brief(content: string): string {
  const line = content
    .replace(/```[^\n]*\n?/gu, " ")
    .replace(/\[([^\]]*)\]\([^)]*\)/gu, "$1")
    .replace(/^\s*(?:#+|>+|[-*+])\s+/gmu, "")
    .replace(/[*`~]+|(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu, "")
    .replace(/\s+/gu, " ")
    .trim()
  const characters = [...line]
  return characters.length > MAX_CHARACTERS ? `${characters.slice(0, MAX_CHARACTERS).join("")}…` : line
}
