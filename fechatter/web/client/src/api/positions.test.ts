import { expect, test } from "vitest"
import { Positions } from "@/api/positions"

function seen(...positions: string[]): Positions {
  const all = new Positions()
  for (const position of positions) all.see(position)
  return all
}

test("only the highest position of an era is kept", () => {
  expect(seen("a.3", "a.1", "a.7").header()).toBe("a.7")
  expect(seen().header()).toBeNull()
})

test("a position of another era does not replace earlier ones until the log has confirmed them", () => {
  const all = seen("a.38", "b.41")
  expect(all.header()).toBe("a.38, b.41")
  all.confirm()
  expect(all.header()).toBe("b.41")
  all.forget()
  expect(all.header()).toBeNull()
})

test("a lower position of a newer era is kept too", () => {
  const all = seen("a.38", "b.12")
  expect(all.header()).toBe("a.38, b.12")
  expect(all.newest()).toBe("a.38")
})

test("the number of eras is bounded, and the first ones stay", () => {
  const all = seen(...Array.from({ length: 40 }, (_, index) => `era${index}.${index + 1}`))
  expect(all.header()!.split(", ")).toHaveLength(32)
  expect(all.header()).toMatch(/^era0\.1, /)
})
