import { expect, test } from "vitest"
import { place } from "@/components/place"

const view = { width: 400, height: 300 }
const menu = { left: 0, top: 0, width: 100, height: 120 }

test("an element is below its anchor and aligned with the anchor's start", () => {
  const anchor = { left: 50, top: 40, width: 30, height: 20 }
  expect(place(anchor, menu, view, { side: "below", align: "start" })).toEqual({ left: 50, top: 64 })
})

test("an element is above its anchor if it does not fit below", () => {
  const anchor = { left: 50, top: 250, width: 30, height: 20 }
  expect(place(anchor, menu, view, { side: "below", align: "end" }).top).toBe(126)
})

test("an element stays inside the window", () => {
  const corner = { left: 390, top: 290, width: 10, height: 10 }
  expect(place(corner, menu, view, { side: "below", align: "start" }).left).toBe(292)
  expect(place(corner, { ...menu, width: 900, height: 900 }, view, { side: "above", align: "center" })).toEqual({
    left: 8,
    top: 8,
  })
})
