import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { fillChat, newChat, openChat } from "./chat.ts"
import { newOwner, openPage, server } from "./fixtures.ts"
import { waitUntilSaved } from "./saved.ts"
import type { Person } from "./people.ts"
import { Proxy } from "./proxy.ts"

const GONE = "Message not found"
const row = (page: Page, number: number) => page.locator(`[data-number="${number}"]`)

async function longChat(name = "team"): Promise<{ ada: Person; chatId: number }> {
  const ada = await newOwner()
  const chatId = await newChat(ada, { name })
  await fillChat(
    ada,
    chatId,
    Array.from({ length: 300 }, (_, place) => `message ${place + 1}`),
  )
  return { ada, chatId }
}

/** Waits until the message is on the screen. No notice reports that the message does not exist. */
async function expectAt(page: Page, number: number): Promise<void> {
  await row(page, number).waitFor()
  await expect
    .poll(() =>
      row(page, number).evaluate(found => {
        const place = found.getBoundingClientRect()
        const scroller = found.closest(".scroller")!.getBoundingClientRect()
        return place.top >= scroller.top && place.bottom <= scroller.bottom
      }),
    )
    .toBe(true)
  expect(await page.getByText(GONE).count()).toBe(0)
}

test("a link to an older message leads there, even if the chat was open before", async () => {
  const { ada, chatId } = await longChat()
  const other = await newChat(ada, { name: "other" })
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await row(page, 300).waitFor()
  for (const number of [20, 150, 280]) {
    await openChat(page, chatId, number)
    await expectAt(page, number)
    await page.locator(`[data-chat="${other}"]`).click()
    await page.getByText("No messages yet").waitFor()
    await page.locator(`[data-chat="${chatId}"]`).click()
    await row(page, 300).waitFor()
    await page.goBack()
    await page.goBack()
    await expectAt(page, number)
  }
})

/** Follows links one after the other, as clicks do, without reloading the page. */
async function follow(page: Page, paths: string[]): Promise<void> {
  await page.evaluate(all => {
    for (const path of all) {
      history.pushState({ ...history.state, current: path }, "", path)
      dispatchEvent(new PopStateEvent("popstate", { state: history.state }))
    }
  }, paths)
}

test("after two links in quick succession, the page shows the second one", async () => {
  const { ada, chatId } = await longChat()
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await row(page, 300).waitFor()
  await follow(page, [`/chats/${chatId}/40`])
  await expectAt(page, 40)
  await follow(page, [`/chats/${chatId}/120`, `/chats/${chatId}/200`])
  await expectAt(page, 200)
  await follow(page, [`/chats/${chatId}/40`, `/chats/${chatId}`])
  await row(page, 300).waitFor()
  expect(await page.getByText(GONE).count()).toBe(0)
})

test("a link to a deleted message leads to its place; a link to a missing one shows the newest message", async () => {
  const { ada, chatId } = await longChat()
  const { items } = await ada.call<{ items: { id: number }[] }>(
    "GET",
    `/api/chat/${chatId}/messages?around=100&limit=1`,
  )
  await ada.call("DELETE", `/api/chat/${chatId}/messages/${items[0]!.id}`)
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await row(page, 300).waitFor()
  await openChat(page, chatId, 100)
  await expectAt(page, 100)
  await row(page, 100).getByText("This message was deleted.").waitFor()
  await openChat(page, chatId, 301)
  await page.getByText(GONE).waitFor()
  await row(page, 300).waitFor()
})

test("without a server, a link to a saved message works; other links work when the server returns", async () => {
  const proxy = await Proxy.before(server.url)
  const { ada, chatId } = await longChat()
  const page = await openPage({}, proxy.url)
  await ada.enter(page)
  await openChat(page, chatId)
  await row(page, 300).waitFor()
  await waitUntilSaved(page)
  await proxy.stop()
  await openChat(page, chatId, 290)
  await expectAt(page, 290)
  await openChat(page, chatId, 30)
  await page.getByText("Messages couldn't be loaded.").waitFor()
  expect(await page.getByText(GONE).count()).toBe(0)
  await proxy.start()
  await expectAt(page, 30)
  await proxy.stop()
})
