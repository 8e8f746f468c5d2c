import type { Page } from "playwright-core"
import { expect, onTestFinished, test } from "vitest"
import { newChat, openChat, shown, write } from "./chat.ts"
import { openPage } from "./fixtures.ts"
import { Person } from "./people.ts"
import { Server } from "./server.ts"

const TOKEN = "the-tabs-own-server-metrics"

/** Returns the number of open streams, as the server reports it. */
async function streams(own: Server): Promise<number> {
  const answer = await fetch(`${own.url}/metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } })
  return Number(/^fechatter_streams (\d+)/mu.exec(await answer.text())?.[1])
}

const waitUntilLive = (page: Page) => page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })

test("tabs share one stream, and if the leading tab closes, another continues without a gap", async () => {
  const own = await Server.make({ signup: "open", metrics_token: TOKEN })
  onTestFinished(() => own.stop())
  const ada = await Person.owner(own, "ada@example.org", "Ada Lovelace", "Analytical Engines")
  const grace = await ada.invite("grace@example.org", "Grace Hopper")
  const chatId = await newChat(ada, { members: [grace] })
  const post = (content: string) => grace.call("POST", `/api/chat/${chatId}/messages`, { content })
  const first = await openPage({}, own.url)
  await ada.enter(first)
  await openChat(first, chatId)
  await waitUntilLive(first)
  const [second, third] = [await first.context().newPage(), await first.context().newPage()]
  for (const tab of [second, third]) {
    await openChat(tab, chatId)
    await waitUntilLive(tab)
  }
  // The stream of the page before the reload ends at the server a moment later.
  await expect.poll(() => streams(own)).toBe(1)
  await post("one")
  for (const tab of [first, second, third]) await tab.locator(".message", { hasText: "one" }).waitFor()
  await write(second, "two")
  for (const tab of [first, third]) await tab.locator(".message", { hasText: "two" }).waitFor()
  await first.close()
  await post("three")
  for (const tab of [second, third]) await tab.locator(".message", { hasText: "three" }).waitFor()
  await expect.poll(() => streams(own)).toBe(1)
  for (const tab of [second, third]) {
    await waitUntilLive(tab)
    await expect.poll(() => shown(tab)).toEqual(["one", "two", "three"])
  }
})
