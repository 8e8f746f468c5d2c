import type { Locator, Page } from "playwright-core"
import { expect, test } from "vitest"
import { expectAccessible, newMember, newOwner, openPage } from "./fixtures.ts"
import type { Person } from "./people.ts"
import { newChat, openChat } from "./chat.ts"

const CHANNELS = 62
const GROUPS = 25

const section = (page: Page, name: string) =>
  page.locator("nav.sidebar section", { has: page.getByRole("heading", { name }) })
const row = (page: Page, chatId: number) => page.locator(`[data-chat="${chatId}"]`)

async function isInView(page: Page, what: Locator): Promise<boolean> {
  const box = (await what.boundingBox())!
  return box.y >= 0 && box.y + box.height <= page.viewportSize()!.height
}

const rows = (page: Page, name: string) => section(page, name).locator("[data-chat]")
const post = (who: Person, chatId: number, content: string) =>
  who.call("POST", `/api/chat/${chatId}/messages`, { content })

/** Ada, Bob and Cyd, with as many chats as a person has after some months. */
async function manyChats() {
  const ada = await newOwner()
  const [bob, cyd] = [await newMember(ada, "Bob"), await newMember(ada, "Cyd")]
  const channels: number[] = []
  for (let at = 0; at < CHANNELS; at += 1)
    channels.push(await newChat(ada, { name: `channel ${String(at).padStart(2, "0")}`, members: [bob] }))
  const groups: number[] = []
  for (let at = 0; at < GROUPS; at += 1)
    groups.push(await newChat(ada, { chat_type: "group", name: `group ${at}`, members: [bob, cyd] }))
  return { ada, bob, channels, groups }
}

test("among 62 channels and 25 direct chats, unread chats are visible, and only direct ones have badges", async () => {
  const { ada, bob, channels, groups } = await manyChats()
  const [channel, group] = [channels.at(-1)!, groups[0]!]
  await post(bob, channel, "for everybody")
  await post(bob, group, "for Ada")
  const page = await openPage()
  await ada.enter(page)
  await row(page, channel).waitFor()
  expect(await rows(page, "Unread").count()).toBe(2)
  for (const chatId of [group, channel]) await expect.poll(() => isInView(page, row(page, chatId))).toBe(true)
  expect(await row(page, group).locator(".badge").innerText()).toBe("1")
  expect(await row(page, channel).locator(".badge").count()).toBe(0)
  expect(await row(page, channel).getAttribute("class")).toContain("strong")
  expect(await page.title()).toMatch(/^\(1\) /u)
  const find = page.getByRole("searchbox", { name: "Find a chat" })
  const before = await find.boundingBox()
  expect(await rows(page, "Direct messages").count()).toBe(15)
  await page.getByRole("button", { name: "Show 9 older" }).click()
  await row(page, groups[1]!).scrollIntoViewIfNeeded()
  await expect.poll(() => isInView(page, row(page, groups[1]!))).toBe(true)
  expect(await find.boundingBox()).toEqual(before)
  await expectAccessible(page)
})

test("no row moves while the pointer is over the list, and the open chat does not move", async () => {
  const { ada, bob, channels } = await manyChats()
  const [target, busy] = [channels[5]!, channels[40]!]
  const page = await openPage()
  await ada.enter(page)
  await row(page, target).hover()
  const before = await row(page, target).boundingBox()
  await post(bob, busy, "look here")
  await page.locator(`[data-chat="${busy}"].strong`).waitFor({ state: "attached" })
  expect(await row(page, target).boundingBox()).toEqual(before)
  expect(await section(page, "Unread").count()).toBe(0)
  await page.mouse.move(800, 300)
  await rows(page, "Unread").and(row(page, busy)).click()
  await page.getByText("look here").first().waitFor()
  await page.mouse.move(800, 300)
  await page.locator(`[data-chat="${busy}"]:not(.strong)`).waitFor()
  expect(await rows(page, "Unread").count()).toBe(1)
  await row(page, target).click()
  await page.mouse.move(800, 300)
  await section(page, "Unread").waitFor({ state: "detached" })
})

test("a message in the open chat does not move the chat's row", async () => {
  const { ada, bob, channels } = await manyChats()
  const [target, other] = [channels[5]!, channels[40]!]
  const page = await openPage()
  await ada.enter(page)
  await row(page, target).click()
  await page.waitForURL(`**/chats/${target}`)
  await page.locator(".composer textarea").waitFor()
  await page.mouse.move(800, 300)
  await post(bob, target, "as it happens")
  await page.getByText("as it happens").first().waitFor()
  // The second chat becomes unread after the first one. By then a row that moves would have moved.
  await post(bob, other, "elsewhere")
  await rows(page, "Unread").and(row(page, other)).waitFor()
  expect(await rows(page, "Unread").and(row(page, target)).count()).toBe(0)
  expect(await rows(page, "Channels").and(row(page, target)).count()).toBe(1)
})

test("a star and a mute appear on the person's other devices, and on no other person's", async () => {
  const ada = await newOwner()
  const [bob, cyd] = [await newMember(ada, "Bob"), await newMember(ada, "Cyd")]
  const chatId = await newChat(ada, { chat_type: "group", name: "three", members: [bob, cyd] })
  const [page, phone, others] = [await openPage(), await openPage(), await openPage()]
  await Promise.all([ada.enter(phone), bob.enter(others)])
  await ada.enter(page)
  await openChat(page, chatId)
  await page.getByRole("button", { name: "Star", exact: true }).click()
  await rows(phone, "Starred").and(row(phone, chatId)).waitFor()
  await page.getByRole("button", { name: "Details", exact: true }).click()
  await page.getByRole("button", { name: /^Mute/u }).click()
  await row(phone, chatId).getByRole("img", { name: "Muted" }).waitFor()
  // An open chat marks its messages as read, on all devices.
  await page.goto("/people")
  await post(cyd, chatId, "quietly")
  await row(phone, chatId).getByText("1 unread").waitFor({ state: "attached" })
  expect(await row(phone, chatId).locator(".badge").count()).toBe(0)
  expect(await section(phone, "Unread").count()).toBe(0)
  expect(await phone.title()).not.toMatch(/^\(/u)
  await rows(others, "Unread").and(row(others, chatId)).waitFor()
  await phone.reload()
  await rows(phone, "Starred").and(row(phone, chatId)).getByRole("img", { name: "Muted" }).waitFor()
  expect(await section(others, "Starred").count()).toBe(0)
  await expectAccessible(page)
})

test("people see their own name and status, and people who may invite see a button for it", async () => {
  const ada = await newOwner("Ada King")
  const bob = await newMember(ada, "Bob King")
  const page = await openPage()
  await ada.enter(page)
  await page
    .locator("nav.sidebar")
    .getByRole("button", { name: /Ada King.*Online/u })
    .waitFor()
  await page.locator("nav.sidebar").getByRole("button", { name: "Invite" }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Create link" }).waitFor()
  const other = await openPage()
  await bob.enter(other)
  await other
    .locator("nav.sidebar")
    .getByRole("button", { name: /Bob King.*Online/u })
    .click()
  await other.getByRole("menuitem", { name: "Profile" }).click()
  await other.getByRole("heading", { name: "Profile" }).waitFor()
  expect(await other.getByRole("button", { name: "Invite" }).count()).toBe(0)
})
