import { beforeEach, expect, test, vi } from "vitest"
import { effectScope } from "vue"
import { pressed, type Shortcut, shortcuts, useShortcuts } from "@/navigation/shortcuts"

const shortcut = (keys: string, run: () => void): Shortcut => ({
  keys,
  run,
  text: "shell.shortcuts",
  group: "shell.shortcutsAnywhere",
})

function press(key: string, target: HTMLElement = document.body, more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more })
  target.addEventListener("keydown", pressed as EventListener, { once: true })
  target.dispatchEvent(event)
  return event
}

beforeEach(() => {
  shortcuts.clear()
  document.body.replaceChildren()
})

test("a key runs its shortcut and no other one", () => {
  const run = vi.fn()
  shortcuts.add(shortcut("?", run))
  expect(press("?").defaultPrevented).toBe(true)
  expect(press("!").defaultPrevented).toBe(false)
  expect(run).toHaveBeenCalledOnce()
})

test("while a person types, only shortcuts with a modifier work", () => {
  const plain = vi.fn()
  const mod = vi.fn()
  shortcuts.add(shortcut("?", plain)).add(shortcut("Mod+K", mod))
  const input = document.createElement("input")
  document.body.append(input)
  press("?", input)
  press("k", input, { ctrlKey: true })
  expect(plain).not.toHaveBeenCalled()
  expect(mod).toHaveBeenCalledOnce()
})

test("the shortcut that was added last wins, and disappears with its component", () => {
  const first = vi.fn()
  const second = vi.fn()
  shortcuts.add(shortcut("?", first))
  const scope = effectScope()
  scope.run(() => useShortcuts(shortcut("?", second)))
  press("?")
  scope.stop()
  press("?")
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1])
})
