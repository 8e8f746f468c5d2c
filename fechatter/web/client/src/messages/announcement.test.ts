import { expect, test } from "vitest"
import type { Message } from "@/api/nouns"
import { t } from "@/i18n"
import { announcement, brief } from "@/messages/announcement"

const message = (content: string) => ({ sender_id: 2, content }) as Message
const announce = (...contents: string[]) => announcement(contents.map(message), () => "Ada", t)

test("one message is announced with its author, several messages are counted", () => {
  expect(announce("Hello **there**")).toBe("Ada: Hello there")
  expect(announce("one", "two", "three")).toBe("3 new messages")
  expect(announce()).toBe("")
})

test("markup is left out, and a long text is cut between characters", () => {
  expect(brief("# Title\n\n> a [link](https://example.org)\n```js\ncode\n```")).toBe("Title a link code")
  expect([...brief("😀".repeat(500))]).toHaveLength(161)
})
