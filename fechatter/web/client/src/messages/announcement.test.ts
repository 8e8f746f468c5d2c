import { expect, test } from "vitest"
import type { Message } from "@/api/nouns"
import { t } from "@/i18n"
import { announcement, brief } from "@/messages/announcement"

const message = (content: string) => ({ sender_id: 2, content }) as Message
const say = (...contents: string[]) => announcement(contents.map(message), () => "Ada", t)

test("one message is told with its author, several are counted", () => {
  expect(say("Hello **there**")).toBe("Ada: Hello there")
  expect(say("one", "two", "three")).toBe("3 new messages")
  expect(say()).toBe("")
})

test("layout is not read aloud, and a long text is cut between signs", () => {
  expect(brief("# Title\n\n> a [link](https://example.org)\n```js\ncode\n```")).toBe("Title a link code")
  expect([...brief("😀".repeat(500))]).toHaveLength(161)
})
