import { afterEach, expect, test, vi } from "vitest"
import { browserStorage, isObject } from "@/platform/storage"

afterEach(() => {
  vi.unstubAllGlobals()
  browserStorage.delete("test")
})

const refused = () => {
  throw new DOMException("denied", "SecurityError")
}

test.each([
  ["is refused", { getItem: refused, setItem: refused, removeItem: refused }],
  ["is missing", undefined],
  ["is null, as in some web views", null],
  ["is full", { getItem: () => null, setItem: refused, removeItem: () => undefined }],
])("if the storage %s, values live as long as the page", (_how, storage) => {
  vi.stubGlobal("localStorage", storage)
  expect(browserStorage.get("test")).toBe(null)
  browserStorage.set("test", "a")
  expect(browserStorage.get("test")).toBe("a")
  browserStorage.delete("test")
  expect(browserStorage.get("test")).toBe(null)
})

test("a value that is not JSON or not of the expected type counts as missing", () => {
  for (const text of ["{", "5", "null", "[]", ""]) {
    browserStorage.set("test", text)
    expect(browserStorage.getJson("test", isObject)).toBe(null)
  }
  browserStorage.set("test", '{"a":1}')
  expect(browserStorage.getJson("test", isObject)).toEqual({ a: 1 })
})

const ALLOWED: Record<string, RegExp> = {
  "local and session storage": /\b(?:local|session)Storage\b/u,
  "channels between tabs": /\bnew BroadcastChannel\b/u,
  "desktop notifications": /\b(?:new Notification\(|Notification\.(?:permission|requestPermission))/u,
  "keys of a composition": /\bisComposing\b|\bkeyCode\b/u,
  "parts that are loaded later": /(?<!load\(\(\) => )(?<!(?:lazy|page)\(\(\) => )(?<!loadPart\(\(\) => )\bimport\(/u,
}

test.each(Object.entries(ALLOWED))("only one file uses %s", (_what, pattern) => {
  const sources = import.meta.glob<string>("/src/**/*.{ts,vue}", { query: "?raw", import: "default", eager: true })
  const others = Object.entries(sources).filter(
    ([path]) => !/^\/src\/(?:platform|testing|gallery)\/|\.test\.ts$/u.test(path),
  )
  expect(others.length).toBeGreaterThan(100)
  const found = others.flatMap(([path, text]) => (pattern.test(text) ? [path] : []))
  // Each of these two files has a table of imports by language, and one function that loads from the table.
  const tables = ["/src/i18n/index.ts", "/src/text/emoji.ts"]
  const composing = ["/src/components/keys.ts"]
  expect(found.filter(path => ![...tables, ...composing].includes(path))).toEqual([])
})
