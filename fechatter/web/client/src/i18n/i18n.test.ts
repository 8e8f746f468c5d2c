import { expect, test } from "vitest"
import en from "@/i18n/en"
import ja from "@/i18n/ja"
import { fill, type Key, type Messages } from "@/i18n/messages"
import zh from "@/i18n/zh"

const LANGUAGES: Record<string, Messages> = { en, zh, ja }
const keys = Object.entries(en).flatMap(([section, texts]) =>
  Object.keys(texts).map(name => `${section}.${name}`),
) as Key[]

function forms(messages: Messages, key: Key): string[] {
  const [section, name] = key.split(".") as [keyof Messages, string]
  const found = (messages[section] as Record<string, string | Record<string, string>>)[name]
  return found === undefined ? [] : typeof found === "string" ? [found] : Object.values(found)
}

const places = (text: string) => [...text.matchAll(/\{(\w+)\}/gu)].map(found => found[1]).toSorted()

test.each(["zh", "ja"])("%s has every text of English, with the same values", language => {
  for (const key of keys) {
    const texts = forms(LANGUAGES[language]!, key)
    expect(texts, key).not.toEqual([])
    for (const text of texts) expect(places(text), key).toEqual(places(forms(en, key)[0]!))
  }
})

test.each(["zh", "ja"])("%s has no further keys", language => {
  for (const [section, texts] of Object.entries(LANGUAGES[language]!)) {
    expect(Object.keys(texts)).toEqual(Object.keys(en[section as keyof Messages]))
  }
})

test("every text is used", () => {
  const sources = import.meta.glob<string>("/src/**/*.{ts,vue}", { query: "?raw", import: "default", eager: true })
  const code = Object.entries(sources).flatMap(([path, text]) => (path.startsWith("/src/i18n/en/") ? [] : [text]))
  expect(keys.filter(key => !code.some(text => text.includes(`"${key}"`) || text.includes(`'${key}'`)))).toEqual([])
})

test("plural forms and digits follow the rules of the language", () => {
  const plural = { ...en, chats: { ...en.chats, unread: { one: "one", other: "{count} of them" } } } as Messages
  expect(fill(plural, "chats.unread", { count: 1 }, "en")).toBe("one")
  expect(fill(plural, "chats.unread", { count: 12_000 }, "en")).toBe("12,000 of them")
  expect(fill(zh, "chats.unread", { count: 1 }, "zh")).toBe("1 条未读")
})

test("a missing value is an error, not an empty text", () => {
  expect(() => fill(en, "session.joinTitle", {}, "en")).toThrow("workspace")
})
