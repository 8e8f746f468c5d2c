/** What is said of new messages: one is told, several are counted. Pure. */

import type { Message } from "@/api/nouns"
import type { t } from "@/i18n"

const MAX_CHARACTERS = 160

export function announcement(messages: readonly Message[], name: (userId: number) => string, say: typeof t): string {
  const [first] = messages
  if (first === undefined) return ""
  if (messages.length > 1) return say("messages.newBelow", { count: messages.length })
  return say("messages.newFrom", { name: name(first.sender_id), text: brief(first.content) })
}

/** A message in a line, without the signs of its layout. */
export function brief(content: string): string {
  const line = content
    .replace(/```[^\n]*\n?/gu, " ")
    .replace(/\[([^\]]*)\]\([^)]*\)/gu, "$1")
    .replace(/^\s*(?:#+|>+|[-*+])\s+/gmu, "")
    .replace(/[*`~]+|(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu, "")
    .replace(/\s+/gu, " ")
    .trim()
  const signs = [...line]
  return signs.length > MAX_CHARACTERS ? `${signs.slice(0, MAX_CHARACTERS).join("")}…` : line
}
