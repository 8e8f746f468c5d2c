import { expect, test } from "vitest"
import { type Emoji, withEmoji } from "@/text/emoji"

const tada = { text: "🎉", name: "tada" } as Emoji

test.each([
  ["a :tada: b", "a 🎉 b"],
  ["`:tada:` :tada:", "`:tada:` 🎉"],
  ["``a ` :tada:`` :tada:", "``a ` :tada:`` 🎉"],
  ["```\n:tada:\n```\n:tada:", "```\n:tada:\n```\n🎉"],
  ["````\n```\n````\n:tada:", "````\n```\n````\n🎉"],
  ["~~~\n:tada:\n~~~", "~~~\n:tada:\n~~~"],
  ["    :tada:", "    :tada:"],
  ["> ```\n> :tada:\n:tada:", "> ```\n> :tada:\n🎉"],
  ["https://a.b/:tada:/c :tada:", "https://a.b/:tada:/c 🎉"],
  [":nothing: :tada", ":nothing: :tada"],
])("names of emoji are replaced outside code and addresses: %s", (written, sent) => {
  expect(withEmoji(written, [tada])).toBe(sent)
})
