import { expect, test } from "vitest"
import { isPressed } from "@/components/keys"

const press = (key: string, more: KeyboardEventInit = {}) => new KeyboardEvent("keydown", { key, ...more })

test("keys are the same with and without capitals, but not with other modifiers", () => {
  expect(isPressed(press("k", { ctrlKey: true }), "Mod+K")).toBe(true)
  expect(isPressed(press("K", { ctrlKey: true, shiftKey: true }), "Mod+K")).toBe(false)
  expect(isPressed(press("k"), "Mod+K")).toBe(false)
})

test("a sign that needs shift on some keyboards is known by the sign", () => {
  expect(isPressed(press("?", { shiftKey: true }), "?")).toBe(true)
  expect(isPressed(press("?"), "?")).toBe(true)
})

test("nothing is pressed while an input method composes", () => {
  expect(isPressed(press("Enter", { isComposing: true }), "Enter")).toBe(false)
})
