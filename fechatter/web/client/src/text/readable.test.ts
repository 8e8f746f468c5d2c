import { expect, test } from "vitest"
import { readable, readableEmail } from "@/text/readable"

test.each([
  ["https://xn--bcher-kva.example/a?b#c", "https://bücher.example/a?b#c"],
  ["https://www.xn--r8jz45g.jp:8443", "https://www.例え.jp:8443"],
  ["https://ada:secret@xn--bcher-kva.example/a", "https://bücher.example/a"],
  ["mailto:ada@xn--bcher-kva.example?subject=a", "mailto:ada@bücher.example?subject=a"],
  ["https://plain.example", "https://plain.example"],
])("an international domain is shown in its own letters: %s", (address, shown) => {
  expect(readable(address)).toBe(shown)
})

test.each([
  "https://xn--pple-43d.com/a",
  "https://xn--80ak6aa92e.com",
  "mailto:ada@xn--80ak6aa92e.com",
  "https://xn--.example",
])("a domain that looks like another one, or cannot be decoded, stays as the network has it: %s", address => {
  expect(readable(address)).toBe(address)
})

test("an e-mail address is shown with the letters of its domain", () => {
  expect(readableEmail("ada@xn--bcher-kva.example")).toBe("ada@bücher.example")
  expect(readableEmail("ada@example.org")).toBe("ada@example.org")
  expect(readableEmail("ada@xn--pple-43d.com")).toBe("ada@xn--pple-43d.com")
})
