import { expect, test } from "vitest"
import type { Message } from "@/api/nouns"
import { rows } from "@/messages/rows"

function message(number: number, senderId: number, at: string): Message {
  return {
    id: number,
    chat_id: 7,
    number,
    sender_id: senderId,
    content: "x",
    revision: 1,
    created_at: at,
    edited_at: null,
    deleted_at: null,
  }
}

const none = { waiting: [], newsAfter: null, me: 1 }

test("messages of one author form a group, which a new day or a pause ends", () => {
  const items = [
    message(1, 1, "2026-01-02T12:00:00.000Z"),
    message(2, 1, "2026-01-02T12:01:00.000Z"),
    message(3, 2, "2026-01-02T12:01:10.000Z"),
    message(4, 2, "2026-01-02T12:30:00.000Z"),
    message(5, 2, "2026-01-04T12:00:00.000Z"),
  ]
  const shown = rows({ ...none, items }).map(row =>
    row.kind === "message" ? `${row.message.number}${row.isFirst ? "!" : ""}` : row.kind,
  )
  expect(shown).toEqual(["day", "1!", "2", "3!", "4!", "day", "5!"])
})

test("there is one line of new messages, before the first one that is not deleted", () => {
  const at = "2026-01-02T12:00:00.000Z"
  const items = [1, 2, 3, 4].map(number => ({ ...message(number, 2, at), deleted_at: number === 2 ? at : null }))
  expect(rows({ ...none, items, newsAfter: 1 }).map(row => row.key)).toEqual([
    "day-1",
    "message-1",
    "message-2",
    "news",
    "message-3",
    "message-4",
  ])
  expect(rows({ ...none, items, newsAfter: 4 }).some(row => row.kind === "news")).toBe(false)
})

test("waiting messages are at the end, in a group with the person's last message", () => {
  const items = [message(1, 1, "2026-01-02T12:00:00.000Z")]
  const waiting = [
    {
      key: "k",
      chatId: 7,
      content: "y",
      writtenAtMs: Date.parse("2026-01-02T12:01:00.000Z"),
      state: "waiting" as const,
      refusal: null,
    },
  ]
  expect(rows({ ...none, items, waiting }).at(-1)).toMatchObject({ kind: "waiting", isFirst: false })
})
