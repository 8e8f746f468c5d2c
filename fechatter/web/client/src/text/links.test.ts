import { expect, test } from "vitest"
import { parse, type Part } from "@/text/parts"

function shown(content: string): string {
  const words = (parts: Part[]): string =>
    parts.map(part => ("text" in part ? part.text : "parts" in part ? words(part.parts) : " ")).join("")
  return words(parse(content))
}

const EVIL = "https://evil.example"

test.each([
  "\u200bhttps://good.org",
  "good.org",
  "www.good.org/login",
  "//good.org",
  "https://\ngood.org",
  "ｈｔｔｐｓ：／／ｇｏｏｄ．ｏｒｇ",
  "https:⁄⁄good․org",
  "good。org",
  "good\u2060.org",
  "http\u00ads://good.org",
  "\u202egro.doog//:sptth",
  "https://good.org@evil.example",
  "https://good.org and https://evil.example",
  "Log in at good.org now",
  "“good.org”",
  "**good**.org",
  "`good.org`",
  "~~https://~~_good.org_",
  "hxxps://good.org",
  "10.0.0.1",
  "ada@good.org",
  "mailto:ada@good.org",
  "https://еvil.example",
])("a link never shows an address that it does not open: %s", words => {
  expect(shown(`[${words}](${EVIL})`)).toBe(EVIL)
  expect(shown(`[${words}](${EVIL} "https://good.org")`)).toBe(EVIL)
  if (!words.includes("\n")) expect(shown(`| [${words}](${EVIL}) |\n|-|`)).toBe(EVIL)
})

test.each([
  ["our bank", EVIL],
  ["e.g. this", EVIL],
  ["Node.js", "https://nodejs.org"],
  ["v1.2.3", "https://good.org/releases"],
  ["https://good.org", "https://good.org/login"],
  ["see https://good.org for more", "https://good.org"],
  ["www.good.org", "https://good.org"],
  ["HTTPS://Good.org/", "https://good.org"],
  ["https://good.org/very/long…", "https://good.org/very/longer"],
  ["ada@good.org", "mailto:ada@good.org"],
  ["https://例え.jp/é", "https://例え.jp/é"],
])("text that matches the address stays: %s", (words, address) => {
  expect(shown(`[${words}](${address})`)).toBe(words)
})

test("a link never shows the path of another page", () => {
  expect(shown("[https://good.org/ada](https://good.org/eve)")).toBe("https://good.org/eve")
})

test("user information before the host is not shown", () => {
  expect(shown("<https://good.org@evil.example>")).toBe("https://evil.example/")
  expect(shown("[https://good.org](https://good.org@evil.example/a)")).toBe("https://evil.example/a")
})

test("a host with look-alike letters is shown as `xn--…`", () => {
  expect(shown("https://аpple.com")).toBe("https://xn--pple-43d.com")
  expect(shown("https://аррӏе.com")).toBe("https://xn--80ak6aa92e.com")
  for (const address of [
    "https://bücher.example",
    "https://例え.jp",
    "https://яндекс.рф",
    "https://παράδειγμα.example",
  ])
    expect(shown(address)).toBe(address)
})

test("no text in a link is reversed, and a link without text shows its address", () => {
  expect(shown(`[a\u202eb](${EVIL})`)).toBe("ab")
  for (const words of ["", " ", "\u200b", "\u3164"]) expect(shown(`[${words}](${EVIL})`)).toBe(EVIL)
})
