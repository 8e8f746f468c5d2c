import { expect, test } from "vitest"
import { isPressed } from "@/components/keys"

const press = (key: string, more: KeyboardEventInit = {}) => new KeyboardEvent("keydown", { key, ...more })

test("letter case does not matter, but modifiers do", () => {
  expect(isPressed(press("k", { ctrlKey: true }), "Mod+K")).toBe(true)
  expect(isPressed(press("K", { ctrlKey: true, shiftKey: true }), "Mod+K")).toBe(false)
  expect(isPressed(press("k"), "Mod+K")).toBe(false)
})

test("a character that needs Shift on some keyboards is recognised by itself", () => {
  expect(isPressed(press("?", { shiftKey: true }), "?")).toBe(true)
  expect(isPressed(press("?"), "?")).toBe(true)
})

test("no shortcut matches while an input method composes", () => {
  expect(isPressed(press("Enter", { isComposing: true }), "Enter")).toBe(false)
})
