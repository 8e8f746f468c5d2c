import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { twoInDirectChat } from "./direct.ts"
import { expectAccessible, newOwner, openPage } from "./fixtures.ts"

const mark = (page: Page, place: string) => page.locator(`${place} .mark`)
const menu = (page: Page) => page.locator(".foot .me")

async function choose(page: Page, name: string): Promise<void> {
  await menu(page).click()
  await page.getByRole("menuitemradio", { name }).click()
}

test("presence is marked at the picture, is in words for screen readers, and follows the person's choice", async () => {
  const { pages } = await twoInDirectChat()
  await mark(pages.ada, ".chat header").and(pages.ada.locator(".online")).waitFor()
  await pages.ada.getByRole("link", { name: "Grace Hopper (Online)" }).waitFor()
  await expectAccessible(pages.ada)
  await choose(pages.grace, "Do not disturb")
  await mark(pages.ada, ".chat header").and(pages.ada.locator(".dnd")).waitFor()
  await expect.poll(() => menu(pages.grace).innerText()).toContain("Do not disturb")
  await choose(pages.grace, "Appear offline")
  await mark(pages.ada, ".chat header").waitFor({ state: "detached" })
  await choose(pages.grace, "Online")
  await mark(pages.ada, ".chat header").and(pages.ada.locator(".online")).waitFor()
})

test("a person whose last page was closed is offline", async () => {
  const { pages } = await twoInDirectChat()
  await mark(pages.ada, ".chat header").waitFor()
  await pages.grace.close()
  await mark(pages.ada, ".chat header").waitFor({ state: "detached" })
})

test("privacy settings hide the presence and turn receipts off", async () => {
  const ada = await newOwner()
  const page = await openPage()
  await ada.enter(page, "/settings/privacy")
  const receipts = page.getByRole("switch", { name: "Read receipts" })
  const shows = page.getByRole("switch", { name: "Show when I'm online" })
  await receipts.click()
  await shows.click()
  await expect.poll(() => menu(page).innerText()).toContain("Appear offline")
  const me = () => ada.call<{ shows_presence: boolean; sends_receipts: boolean }>("GET", "/api/users/me")
  await expect.poll(async () => (await me()).shows_presence).toBe(false)
  await expect.poll(async () => (await me()).sends_receipts).toBe(false)
  await page.reload()
  await expect.poll(() => receipts.isChecked()).toBe(false)
  expect(await shows.isChecked()).toBe(false)
  await expectAccessible(page)
})
