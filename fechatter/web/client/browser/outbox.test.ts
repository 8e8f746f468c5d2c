import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { newChat, openChat, settled, stored, write } from "./chat.ts"
import { newOwner, openPage } from "./fixtures.ts"

/** Keep the page's sends on their way until the returned function is called. */
async function holdSends(page: Page): Promise<() => void> {
  let release = () => {}
  const held = new Promise<void>(done => (release = done))
  await page.route("**/api/chat/*/messages", async route => {
    if (route.request().method() === "POST") await held
    await route.continue()
  })
  return release
}

async function withdraw(page: Page): Promise<void> {
  await page.locator(".waiting").getByRole("button", { name: "Withdraw" }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Withdraw" }).click()
}

async function rewrite(page: Page): Promise<void> {
  await page.locator(".waiting").getByRole("button", { name: "Edit" }).click()
  await page.locator(".waiting .editor textarea").fill("second thought")
  await page.locator(".waiting .editor textarea").press("Enter")
}

test.each([
  { name: "withdraws", change: withdraw, expected: [""] },
  { name: "edits", change: rewrite, expected: ["second thought"] },
])("a message that one tab $name while another tab sends it does not stay as it was", async ({ change, expected }) => {
  const ada = await newOwner()
  const chatId = await newChat(ada)
  const sender = await openPage()
  await ada.enter(sender)
  await openChat(sender, chatId)
  const other = await sender.context().newPage()
  await openChat(other, chatId)
  const release = await holdSends(sender)
  const request = sender.waitForRequest(one => one.method() === "POST" && one.url().endsWith("/messages"))
  await write(sender, "first thought")
  await request
  await other.locator(".waiting", { hasText: "first thought" }).waitFor()
  await change(other)
  await expect.poll(() => other.locator(".waiting", { hasText: "first thought" }).count()).toBe(0)
  release()
  for (const tab of [sender, other]) await settled(tab)
  await expect.poll(() => stored(ada, chatId)).toEqual(expected)
  for (const tab of [sender, other])
    await expect.poll(() => tab.locator(".message", { hasText: "first thought" }).count()).toBe(0)
})
