import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { fillChat, newChat, openChat } from "./chat.ts"
import { newOwner, openPage } from "./fixtures.ts"

const ALL = 5000
const MAX_ROWS = 400
const MAX_NODES = 20_000
const MAX_GROWTH_BYTES = 40_000_000

/** Returns the first and the last number of the messages in the page. Fails if there is a gap between them. */
async function numbers(page: Page): Promise<[first: number, last: number]> {
  const all = await page
    .locator(".message")
    .evaluateAll(rows => rows.map(row => Number((row as HTMLElement).dataset["number"])))
  expect(all).toEqual(all.map((_, place) => all[0]! + place))
  expect(all.length).toBeLessThanOrEqual(MAX_ROWS)
  return [all[0]!, all.at(-1)!]
}

/** Scrolls until message `number` is loaded. */
async function scrollTo(page: Page, end: "top" | "bottom", number: number): Promise<void> {
  await page.evaluate(
    async ([to, wanted]) => {
      const scroller = document.querySelector<HTMLElement>(".scroller")!
      while (!document.querySelector(`[data-number="${wanted}"]`)) {
        scroller.scrollTop = to === "top" ? 0 : scroller.scrollHeight
        await new Promise(requestAnimationFrame)
      }
    },
    [end, number] as const,
  )
}

test("scrolling through 5,000 messages needs as few rows, nodes and bytes as a few hundred", async () => {
  const ada = await newOwner()
  const chatId = await newChat(ada)
  await fillChat(
    ada,
    chatId,
    Array.from({ length: ALL }, (_, place) => `message **${place + 1}** of typical length`),
  )
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  const inside = await page.context().newCDPSession(page)
  const used = async () => {
    await inside.send("HeapProfiler.collectGarbage")
    const { nodes } = await inside.send("Memory.getDOMCounters")
    return { nodes, bytes: (await inside.send("Runtime.getHeapUsage")).usedSize }
  }
  await page.locator(`[data-number="${ALL}"]`).waitFor()
  expect((await numbers(page))[1]).toBe(ALL)
  const before = await used()

  await scrollTo(page, "top", ALL - 1200)
  await numbers(page)
  const above = await used()
  await openChat(page, chatId, 1)
  await page.locator('[data-number="1"]').waitFor()
  await expect.poll(async () => (await numbers(page))[0]).toBe(1)
  await scrollTo(page, "bottom", 1000)
  await numbers(page)
  await page.getByRole("button", { name: "Jump to latest" }).click()
  await page.locator(`[data-number="${ALL}"]`).waitFor()
  expect((await numbers(page))[1]).toBe(ALL)

  for (const now of [above, await used()]) {
    expect(now.nodes).toBeLessThan(MAX_NODES)
    expect(now.bytes - before.bytes).toBeLessThan(MAX_GROWTH_BYTES)
  }
})
