import type { Page } from "playwright-core"
import { expect, onTestFinished, test } from "vitest"
import { write } from "./chat.ts"
import { expectAccessible, newMember, newOwner, openPage } from "./fixtures.ts"
import { PASSWORD } from "./people.ts"
import { Server } from "./server.ts"

const steps = (page: Page) => page.getByRole("region", { name: "Get started" })

function expectDone(page: Page, count: number): Promise<void> {
  return expect.poll(() => steps(page).getByRole("img", { name: "Done" }).count()).toBe(count)
}

async function send(page: Page, text: string): Promise<void> {
  await write(page, text)
  await page.locator(".message", { hasText: text }).first().waitFor()
}

/** Simulates a browser that was not yet asked about notifications, and that allows them. */
async function fakeNotifications(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const state = { permission: "default" as NotificationPermission }
    class Fake {
      static get permission() {
        return state.permission
      }
      static async requestPermission() {
        return (state.permission = "granted")
      }
      close() {}
    }
    Object.assign(globalThis, { Notification: Fake })
  })
}

test("the first owner starts in #general, and the three first steps disappear when all are done", async () => {
  const fresh = await Server.make()
  onTestFinished(() => fresh.stop())
  const page = await openPage({}, fresh.url)
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
  await page.goto(`/setup#token=${fresh.setupToken}`)
  await page.getByLabel("Workspace name").fill("Engines")
  await page.getByLabel("Full name").fill("Ada Lovelace")
  await page.getByLabel("E-mail").fill("ada@example.org")
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD)
  await page.getByRole("button", { name: "Create workspace" }).click()
  await page.waitForURL(/\/chats\/\d+$/u)
  await page.getByRole("heading", { name: "general" }).first().waitFor()
  await steps(page).getByRole("listitem").nth(2).waitFor()
  await expectDone(page, 1)
  await steps(page).getByRole("button", { name: "Rename" }).click()
  await page.getByRole("dialog").getByLabel("Workspace name").fill("Analytical Engines")
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click()
  await page.getByRole("button", { name: "Analytical Engines" }).waitFor()
  await steps(page).getByRole("button", { name: "Copy link" }).click()
  await page.getByText("Invite link copied.").waitFor()
  const link = await page.evaluate(() => navigator.clipboard.readText())
  await expectDone(page, 2)
  await page.goto("/")
  await steps(page).getByRole("button", { name: "Open general" }).waitFor()
  await expectAccessible(page)
  await steps(page).getByRole("button", { name: "Open general" }).click()
  await send(page, "first words")
  await steps(page).waitFor({ state: "detached" })

  const newcomer = await openPage({}, fresh.url)
  await newcomer.goto(link)
  await newcomer.getByLabel("Full name").fill("Grace Hopper")
  await newcomer.getByLabel("E-mail").fill("grace@example.org")
  await newcomer.getByLabel("Password", { exact: true }).fill(PASSWORD)
  await newcomer.getByRole("button", { name: "Join" }).click()
  await newcomer.getByText("first words").first().waitFor()
  expect(newcomer.url()).toBe(page.url())
  await newcomer.goto("/")
  await newcomer.getByText("Choose a chat").waitFor()
  expect(await steps(newcomer).count()).toBe(0)
})

test("a person without channels can create and browse channels", async () => {
  const ada = await newOwner()
  const bob = await newMember(ada, "Bob")
  const { default_chat_id: general } = await ada.call<{ default_chat_id: number }>("GET", "/api/workspace")
  await bob.call("POST", `/api/chat/${general}/leave`)
  const page = await openPage()
  await bob.enter(page)
  await page.getByText("You haven't joined a channel yet.").waitFor()
  await page.getByRole("button", { name: "Browse channels" }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Join general" }).click()
  await page.locator(`[data-chat="${general}"]`).waitFor()
  await page.getByText("You haven't joined a channel yet.").waitFor({ state: "detached" })
})

test("notifications are offered once, after the first message and never on load", async () => {
  const ada = await newOwner()
  const { default_chat_id: general } = await ada.call<{ default_chat_id: number }>("GET", "/api/workspace")
  const page = await openPage()
  await fakeNotifications(page)
  await ada.enter(page, `/chats/${general}`)
  const offer = page.getByText("Get notified about direct messages and mentions?")
  await page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })
  expect(await offer.count()).toBe(0)
  await send(page, "one")
  await offer.waitFor()
  await expectAccessible(page)
  await page.getByRole("button", { name: "Not now" }).click()
  await page.reload()
  await page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })
  await send(page, "two")
  expect(await offer.count()).toBe(0)
  const other = await openPage()
  await fakeNotifications(other)
  await ada.enter(other, `/chats/${general}`)
  await other.locator(".connection[data-phase=live]").waitFor({ state: "attached" })
  await send(other, "three")
  await other.getByRole("button", { name: "Turn on" }).click()
  // The browser answers before the preference is stored.
  await expect
    .poll(() => other.evaluate(() => JSON.parse(localStorage.getItem("fechatter.preferences") ?? "{}")))
    .toMatchObject({ notifications: true })
})
