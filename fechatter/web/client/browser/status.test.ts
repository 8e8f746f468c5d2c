import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { newChat, shown, write } from "./chat.ts"
import { PHONE } from "./chromium.ts"
import { enter, twoInDirectChat } from "./direct.ts"
import { expectAccessible, expectNoOverflow, newMember, newOwner, openPage } from "./fixtures.ts"
import type { Person } from "./people.ts"

const menu = (page: Page) => page.locator(".foot .me")

test("a status is set by keyboard in a dialog, is shown to others at once, and is cleared", async () => {
  const { pages } = await twoInDirectChat()
  await menu(pages.grace).press("Enter")
  await pages.grace.getByRole("menuitem", { name: "Set a status" }).press("Enter")
  const dialog = pages.grace.getByRole("dialog")
  await dialog.getByLabel("Status", { exact: true }).fill("Reading proofs")
  await expectAccessible(pages.grace)
  await dialog.getByRole("button", { name: "Choose an emoji" }).press("Enter")
  await dialog.getByPlaceholder("Search emoji").fill("tea")
  await dialog.getByPlaceholder("Search emoji").press("Enter")
  await dialog.getByLabel("Clear after").selectOption("hour")
  await dialog.getByLabel("Status", { exact: true }).press("Enter")
  await dialog.waitFor({ state: "detached" })
  await expect.poll(() => pages.ada.locator(".chat header").innerText()).toContain("Reading proofs")
  await pages.ada.getByRole("button", { name: "Details", exact: true }).click()
  await expect.poll(() => pages.ada.locator("aside.details").innerText()).toMatch(/Reading proofs\s*until \d/u)
  await expectAccessible(pages.ada)
  await menu(pages.grace).click()
  await pages.grace.getByRole("menuitem", { name: "Edit status" }).click()
  await dialog.getByRole("button", { name: "Clear status" }).click()
  await dialog.waitFor({ state: "detached" })
  await expect.poll(() => pages.ada.locator(".chat header").innerText()).not.toContain("Reading proofs")
})

test("the list of members shows statuses, on a phone as well", async () => {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  const chatId = await newChat(ada, { members: [grace] })
  await grace.call("PUT", "/api/users/me/status", { emoji: "🌴", text: "On vacation with no end in sight" })
  const page = await openPage({ viewport: PHONE })
  await enter(ada, page, chatId)
  await page.getByRole("button", { name: "Details", exact: true }).click()
  await page.locator(".member", { hasText: "On vacation" }).waitFor()
  await expectNoOverflow(page)
  await expectAccessible(page)
})

test("an own message in a direct chat is marked as seen until it is answered", async () => {
  const { pages } = await twoInDirectChat()
  const seen = pages.ada.locator(".seen")
  await pages.grace.goto("/people")
  await write(pages.ada, "Did you see the moth?")
  await expect.poll(() => shown(pages.ada)).toEqual(["Did you see the moth?"])
  expect(await seen.count()).toBe(0)
  await pages.grace.getByRole("link", { name: "Ada Lovelace" }).click()
  await expect.poll(() => shown(pages.grace)).toEqual(["Did you see the moth?"])
  await expect.poll(() => seen.allInnerTexts()).toEqual(["Seen"])
  await expectAccessible(pages.ada)
  await write(pages.grace, "It is in the logbook.")
  await expect.poll(() => shown(pages.ada)).toEqual(["Did you see the moth?", "It is in the logbook."])
  await expect.poll(() => seen.count()).toBe(0)
})

test("in a small group, the people who have read a message are named", async () => {
  const ada = await newOwner()
  const [grace, alan] = [await newMember(ada, "Grace Hopper"), await newMember(ada, "Alan Turing")]
  const chatId = await newChat(ada, { chat_type: "group", members: [grace, alan] })
  const page = await openPage()
  await enter(ada, page, chatId)
  await write(page, "Lunch?")
  await expect.poll(() => shown(page)).toEqual(["Lunch?"])
  const read = (person: Person) => person.call("PUT", `/api/chat/${chatId}/read`, { number: 1 })
  await read(grace)
  await expect.poll(() => page.locator(".seen").innerText()).toBe("Seen by Grace Hopper")
  await read(alan)
  await expect.poll(() => page.locator(".seen").innerText()).toBe("Seen by everyone")
})
