import { expect, test } from "vitest"
import { moved } from "@/messages/grid"

const move = (at: number, ...steps: Parameters<typeof moved>[3][]) =>
  steps.reduce((place, step) => moved([3, 10, 8], 8, place, step), at)

test("arrow keys keep the column from section to section, if it exists there", () => {
  expect(move(1, "ArrowDown")).toBe(4)
  expect(move(10, "ArrowUp")).toBe(2)
  expect(move(9, "ArrowDown")).toBe(12)
  expect(move(12, "ArrowDown")).toBe(14)
  expect(move(4, "ArrowDown", "ArrowUp")).toBe(4)
})

test("left and right visit every place and stop at the ends; the field is above the first row", () => {
  expect(move(2, "ArrowRight")).toBe(3)
  expect(move(0, "ArrowLeft")).toBe(0)
  expect(move(20, "ArrowRight")).toBe(20)
  expect(move(20, "ArrowDown")).toBe(20)
  expect(move(1, "ArrowUp")).toBe(-1)
  expect(move(5, "Home")).toBe(3)
  expect(move(5, "End")).toBe(10)
})
