import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { composer, fillChat, newChat, openChat, write } from "./chat.ts"
import { expectAccessible, newMember, newOwner, openPage } from "./fixtures.ts"
import type { Person } from "./people.ts"

interface Counts {
  last_read_number: number
  unread_count: number
}

const counts = (reader: Person, chatId: number) => reader.call<Counts>("GET", `/api/chat/${chatId}`)
const row = (page: Page, number: number) => page.locator(`[data-number="${number}"]`)
const texts = (count: number) => Array.from({ length: count }, (_, place) => `message ${place + 1}`)

/** Creates Ada's chat with Grace, which contains unread messages from Grace. */
async function unreadChat(count: number): Promise<{ ada: Person; grace: Person; chatId: number }> {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  const chatId = await newChat(ada, { members: [grace] })
  await fillChat(grace, chatId, texts(count))
  return { ada, grace, chatId }
}

async function remove(writer: Person, chatId: number, numbers: number[]): Promise<void> {
  for (const number of numbers) {
    const around = `/api/chat/${chatId}/messages?around=${number}&limit=1`
    const { items } = await writer.call<{ items: { id: number }[] }>("GET", around)
    await writer.call("DELETE", `/api/chat/${chatId}/messages/${items[0]!.id}`)
  }
}

/** Waits until the line of new messages and message `before`, which follows it, are on the screen. */
async function expectDivider(page: Page, before: number): Promise<void> {
  await page.locator(".news").waitFor()
  await expect
    .poll(() =>
      page.locator(".scroller").evaluate((scroller, number) => {
        const { top, bottom } = scroller.getBoundingClientRect()
        const divider = scroller.querySelector(".news")
        const next = divider?.nextElementSibling as HTMLElement | null
        const isIn = [divider, next].every(each => {
          const place = each?.getBoundingClientRect()
          return place !== undefined && place.top >= top && place.bottom <= bottom
        })
        return isIn && Number(next?.dataset["number"]) === number
      }, before),
    )
    .toBe(true)
}

function lastOnScreen(page: Page): Promise<number> {
  return page.locator(".scroller").evaluate(scroller => {
    const { bottom } = scroller.getBoundingClientRect()
    const rows = [...scroller.querySelectorAll<HTMLElement>("[data-number]")]
    return Number(rows.findLast(each => each.getBoundingClientRect().bottom <= bottom)!.dataset["number"])
  })
}

/** Waits until the read mark is at the last message on the screen; returns the number of that message. */
async function expectReadToScreen(page: Page, reader: Person, chatId: number): Promise<number> {
  const distance = async () => (await lastOnScreen(page)) - (await counts(reader, chatId)).last_read_number
  await expect.poll(distance).toBe(0)
  return lastOnScreen(page)
}

async function scrollThrough(page: Page): Promise<void> {
  const scroller = page.locator(".scroller")
  await expect
    .poll(() =>
      scroller.evaluate(element => {
        element.scrollTop += element.clientHeight * 0.8
        return element.scrollHeight - element.scrollTop - element.clientHeight < 2
      }),
    )
    .toBe(true)
}

/** Simulates a window that gains or loses the focus. */
async function setFocus(page: Page, isFocused: boolean): Promise<void> {
  await page.evaluate(focused => {
    document.hasFocus = () => focused
    dispatchEvent(new Event(focused ? "focus" : "blur"))
  }, isFocused)
}

test("a chat with 80 unread messages opens at the first one, and only messages on the screen become read", async () => {
  const { ada, chatId } = await unreadChat(80)
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await expectDivider(page, 1)
  const lastShown = await expectReadToScreen(page, ada, chatId)
  expect(lastShown).toBeLessThan(60)
  await scrollThrough(page)
  await row(page, 80).waitFor()
  await expect.poll(() => counts(ada, chatId)).toMatchObject({ last_read_number: 80, unread_count: 0 })
  expect(await page.locator(".news").count()).toBe(1)
})

test("a jump to the newest messages leaves earlier ones unread, and one click leads back", async () => {
  const { ada, chatId } = await unreadChat(300)
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await expectDivider(page, 1)
  const lastShown = await expectReadToScreen(page, ada, chatId)
  await page.getByRole("button", { name: /new messages/u }).click()
  await row(page, 300).waitFor()
  const { last_read_number: read } = await counts(ada, chatId)
  expect(read).toBe(lastShown)
  await page.getByRole("button", { name: "Jump to first unread" }).click()
  await expectDivider(page, read + 1)
  await page.getByRole("button", { name: "Jump to first unread" }).waitFor({ state: "detached" })
  await page.locator(".scroller").press("End")
  await row(page, 300).waitFor()
  expect((await counts(ada, chatId)).last_read_number).toBeLessThan(120)
  await page.keyboard.press("Shift+Escape")
  await expect.poll(() => counts(ada, chatId)).toMatchObject({ last_read_number: 300, unread_count: 0 })
})

test("a link to an unread message shows the button to the first unread one", async () => {
  const { ada, chatId } = await unreadChat(300)
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId, 200)
  await row(page, 200).waitFor()
  await page.getByRole("button", { name: "Jump to first unread" }).waitFor()
  await expectAccessible(page)
  expect((await counts(ada, chatId)).last_read_number).toBe(0)
  await page.getByRole("button", { name: "Jump to first unread" }).click()
  await expectDivider(page, 1)
  await page.getByRole("button", { name: "Jump to first unread" }).waitFor({ state: "detached" })
  await openChat(page, chatId, 200)
  await page.getByRole("button", { name: "Mark as read" }).click()
  await expect.poll(() => counts(ada, chatId)).toMatchObject({ last_read_number: 300, unread_count: 0 })
})

test("any number of deleted messages before the first unread one is skipped", async () => {
  const { ada, grace, chatId } = await unreadChat(130)
  const deleted = Array.from({ length: 70 }, (_, place) => place + 1)
  await remove(grace, chatId, [...deleted, 73, 130])
  const page = await openPage()
  await ada.enter(page)
  await page.getByRole("navigation").getByText("58 unread").waitFor({ state: "attached" })
  await openChat(page, chatId)
  await expectDivider(page, 71)
  await scrollThrough(page)
  await row(page, 130).waitFor()
  await expect.poll(() => counts(ada, chatId)).toMatchObject({ last_read_number: 130, unread_count: 0 })
})

test("a chat with 5,000 unread messages opens at the first one, and an empty chat at its start", async () => {
  const { ada, chatId } = await unreadChat(5000)
  const empty = await newChat(ada, { name: "empty" })
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await expectDivider(page, 1)
  expect(await page.locator("[data-number]").count()).toBeLessThanOrEqual(400)
  await openChat(page, empty)
  await page.getByText("No messages yet").waitFor()
  expect(await page.locator(".news, .jump").count()).toBe(0)
})

test("messages that arrive while the window has no focus are after the line of new messages", async () => {
  const { ada, grace, chatId } = await unreadChat(40)
  await ada.call("PUT", `/api/chat/${chatId}/read`, { number: 40 })
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await row(page, 40).waitFor()
  await setFocus(page, false)
  await fillChat(grace, chatId, texts(60))
  await expectDivider(page, 41)
  expect((await counts(ada, chatId)).last_read_number).toBe(40)
  await setFocus(page, true)
  await expect.poll(async () => (await counts(ada, chatId)).last_read_number).toBeGreaterThan(40)
  await expectDivider(page, 41)
  expect((await counts(ada, chatId)).last_read_number).toBeLessThan(100)
  await scrollThrough(page)
  await expect.poll(async () => (await counts(ada, chatId)).unread_count).toBe(0)
})

test("messages that arrived while the client was closed are new, even if the saved state is shown first", async () => {
  const { ada, grace, chatId } = await unreadChat(40)
  await ada.call("PUT", `/api/chat/${chatId}/read`, { number: 40 })
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await row(page, 40).waitFor()
  await page.goto("/docs")
  await fillChat(grace, chatId, texts(80))
  await openChat(page, chatId)
  await expectDivider(page, 41)
  expect((await counts(ada, chatId)).last_read_number).toBeLessThan(100)
})

test("messages that are marked as unread stay unread on every device until the chat is opened again", async () => {
  const { ada, grace, chatId } = await unreadChat(10)
  const other = await newChat(ada, { name: "other", members: [grace] })
  const [here, there] = [await openPage(), await openPage()]
  await Promise.all([ada.enter(here), ada.enter(there)])
  await Promise.all([openChat(here, chatId), openChat(there, chatId)])
  await expect.poll(async () => (await counts(ada, chatId)).unread_count).toBe(0)

  await row(here, 8).hover()
  await row(here, 8).getByRole("button", { name: "More actions" }).click()
  await here.getByRole("menuitem", { name: "Mark unread from here" }).click()
  for (const page of [here, there]) {
    await page.getByRole("navigation").getByText("3 unread").waitFor({ state: "attached" })
    await expectDivider(page, 8)
    await setFocus(page, true)
  }
  await grace.call("POST", `/api/chat/${chatId}/messages`, { content: "one more" })
  for (const page of [here, there])
    await page.getByRole("navigation").getByText("4 unread").waitFor({ state: "attached" })
  expect(await counts(ada, chatId)).toMatchObject({ last_read_number: 7, unread_count: 4 })

  await here.locator(`[data-chat="${other}"]`).click()
  await here.getByText("No messages yet").waitFor()
  await here.locator(`[data-chat="${chatId}"]`).click()
  await expectDivider(here, 8)
  await expect.poll(async () => (await counts(ada, chatId)).unread_count).toBe(0)
  await there.getByRole("navigation").getByText("4 unread").waitFor({ state: "detached" })
})

test("a shortcut marks messages as unread, and sending a message marks them as read", async () => {
  const { ada, chatId } = await unreadChat(10)
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await expect.poll(async () => (await counts(ada, chatId)).unread_count).toBe(0)
  await row(page, 6).getByRole("button", { name: "More actions" }).focus()
  await page.keyboard.press("Alt+u")
  await page.getByRole("navigation").getByText("5 unread").waitFor({ state: "attached" })
  await write(page, "an answer")
  await page.getByRole("navigation").getByText("5 unread").waitFor({ state: "detached" })
  await expect.poll(() => counts(ada, chatId)).toMatchObject({ last_read_number: 11, unread_count: 0 })
})

test("on a phone, the button to the first unread message fits and is accessible", async () => {
  const { ada, chatId } = await unreadChat(120)
  const page = await openPage({ viewport: { width: 360, height: 640 }, reducedMotion: "reduce" })
  await ada.enter(page)
  await openChat(page, chatId)
  await expectDivider(page, 1)
  await openChat(page, chatId, 90)
  await page.getByRole("button", { name: "Jump to first unread" }).waitFor()
  await expectAccessible(page)
  await page.getByRole("button", { name: "Jump to first unread" }).click()
  await row(page, 1).waitFor()
  expect(await composer(page).isVisible()).toBe(true)
})
