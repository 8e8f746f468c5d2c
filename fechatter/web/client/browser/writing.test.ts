import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { composer, fillChat, newChat, openChat, settled, shown, stored, write } from "./chat.ts"
import { PHONE } from "./chromium.ts"
import { expectAccessible, newOwner, openPage } from "./fixtures.ts"
import type { Person } from "./people.ts"
import { waitUntilMessageStored } from "./saved.ts"

/** Returns a page with a new chat. */
async function inChat(contents: string[] = [], options = {}): Promise<{ ada: Person; chatId: number; page: Page }> {
  const ada = await newOwner()
  const chatId = await newChat(ada)
  await fillChat(ada, chatId, contents)
  const page = await openPage(options)
  await ada.enter(page)
  await openChat(page, chatId)
  if (contents.length > 0)
    await page
      .locator(".message")
      .nth(contents.length - 1)
      .waitFor()
  return { ada, chatId, page }
}

/** Waits until the focused element has this text. */
function expectFocus(page: Page, text: RegExp): Promise<void> {
  return expect.poll(() => page.evaluate(() => document.activeElement?.textContent ?? "")).toMatch(text)
}

test("waiting messages keep their order if the clock is set back, and can be changed and withdrawn", async () => {
  const { ada, chatId, page } = await inChat()
  await page.context().setOffline(true)
  for (const word of ["first", "second", "wrong"]) await write(page, word)
  await waitUntilMessageStored(page, "wrong")
  await page.context().setOffline(false)
  await page.route("**/api/chat/*/messages", route => route.abort())
  await page.addInitScript(() => {
    const now = Date.now.bind(Date)
    Date.now = () => now() - 3_600_000
  })
  await page.reload()
  await page.locator(".waiting", { hasText: "wrong" }).waitFor()
  for (const word of ["third", "fourth"]) await write(page, word)
  await page.locator(".waiting", { hasText: "fourth" }).waitFor()

  const second = page.locator(".waiting", { hasText: "second" })
  await second.getByRole("button", { name: "Edit" }).click()
  await page.locator(".waiting .editor textarea").fill("second, better")
  await page.locator(".waiting .editor textarea").press("Enter")
  await page.locator(".waiting", { hasText: "second, better" }).waitFor()
  await page.locator(".waiting", { hasText: "wrong" }).getByRole("button", { name: "Withdraw" }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Withdraw" }).click()
  await page.locator(".waiting", { hasText: "wrong" }).waitFor({ state: "detached" })

  await page.unrouteAll()
  await page.evaluate(() => dispatchEvent(new Event("online")))
  await settled(page)
  expect(await stored(ada, chatId)).toEqual(["first", "second, better", "third", "fourth"])
})

test("a draft that is sent in one tab disappears in the other tabs", async () => {
  const { page, chatId, ada } = await inChat()
  const other = await page.context().newPage()
  await openChat(other, chatId)
  await composer(page).fill("half a thought")
  await expect.poll(() => composer(other).inputValue()).toBe("half a thought")
  await composer(page).press("Enter")
  await expect.poll(() => composer(other).inputValue()).toBe("")
  await settled(page)
  expect(await stored(ada, chatId)).toEqual(["half a thought"])
})

test("the message list is one tab stop, arrow keys move inside it, and typed text goes to the composer", async () => {
  const contents = Array.from({ length: 40 }, (_, place) => `message ${place} [link](https://a.b) \`code\``)
  contents.push("```\nthe last message\n```")
  const { page } = await inChat(contents)
  const stops = await page.locator(".scroller").evaluate(scroller => {
    const all = [...scroller.querySelectorAll<HTMLElement>("*")].filter(element => element.tabIndex >= 0)
    return all.map(element => element.className)
  })
  expect(stops.filter(name => !name.startsWith("message"))).toEqual(
    stops.filter(name => !name.startsWith("message") && !name.includes("row")),
  )
  expect(stops.filter(name => name.startsWith("message"))).toHaveLength(1)
  await page.keyboard.press("Shift+Tab")
  await expectFocus(page, /the last message/u)
  await page.keyboard.press("ArrowUp")
  await expectFocus(page, /message 39/u)
  await page.keyboard.press("ArrowUp")
  await expectFocus(page, /message 38/u)
  await page.keyboard.press("ArrowDown")
  await expectFocus(page, /message 39/u)
  await page.keyboard.press("Home")
  await expectFocus(page, /message 0/u)
  await page.keyboard.press("End")
  await expectFocus(page, /the last message/u)
  await page.keyboard.press("ArrowUp")
  await page.keyboard.press("ArrowRight")
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("A")
  await page.keyboard.press("ArrowLeft")
  await page.keyboard.press("Enter")
  await page.getByRole("menuitem", { name: "Edit" }).waitFor()
  await page.keyboard.press("Escape")
  await expectAccessible(page, ["wcag2a", "wcag2aa", "best-practice"])
  await page.keyboard.type("hello")
  await expect.poll(() => composer(page).inputValue()).toBe("hello")
})

test("the focus stays in the list when the focused waiting message is sent", async () => {
  const { ada, chatId, page } = await inChat(["a", "b"])
  await page.context().setOffline(true)
  await write(page, "waiting")
  await page.locator(".waiting").focus()
  await page.context().setOffline(false)
  await page.evaluate(() => dispatchEvent(new Event("online")))
  await settled(page)
  await expect.poll(() => page.evaluate(() => document.activeElement?.className)).toMatch(/^message/u)
  expect(await stored(ada, chatId)).toEqual(["a", "b", "waiting"])
})

test("saving an empty edit asks whether to delete the message", async () => {
  const { page } = await inChat(["a", "b"])
  const edit = async () => {
    await composer(page).press("ArrowUp")
    await page.locator(".editor textarea").fill(" ")
    await page.locator(".editor textarea").press("Enter")
    await page.getByRole("dialog").waitFor()
  }
  await edit()
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click()
  expect(await page.locator(".editor textarea").inputValue()).toBe(" ")
  await page.locator(".editor textarea").press("Escape")
  expect(await shown(page)).toEqual(["a", "b"])
  await edit()
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click()
  await page.getByText("This message was deleted.").waitFor()
  expect(await shown(page)).toEqual(["a"])
})

test("the tools of a message stay visible and do not cover the button that copies code", async () => {
  const long =
    "```\n" +
    Array.from({ length: 90 }, (_, line) => `line ${line} ${"x".repeat(200)}`)
      .join("\n")
      .slice(0, 3900) +
    "\n```"
  for (const content of [long, "```\none line\n```"]) {
    for (const viewport of [{ width: 900, height: 500 }, PHONE]) {
      const { page } = await inChat([content], { viewport })
      const message = page.locator(".message").last()
      for (const top of [0, 100, 300, 10_000]) {
        await page.locator(".scroller").evaluate((scroller, place) => (scroller.scrollTop = place), top)
        await message.locator("pre").hover({ position: { x: 5, y: 5 }, force: true })
        const tools = (await message.locator(".tools").boundingBox())!
        const copy = (await message.getByRole("button", { name: "Copy code" }).boundingBox())!
        const list = (await page.locator(".scroller").boundingBox())!
        const seen = (await message.boundingBox())!
        const isSeen = seen.y + seen.height > list.y + tools.height + 20
        if (isSeen) expect(tools.y).toBeGreaterThanOrEqual(list.y)
        expect(tools.y + tools.height).toBeLessThanOrEqual(list.y + list.height)
        const isApart =
          copy.x + copy.width <= tools.x || copy.y >= tools.y + tools.height || copy.y + copy.height <= tools.y
        expect(isApart).toBe(true)
      }
      await page.close()
    }
  }
})

test("lines are about 80 characters wide on a wide screen", async () => {
  const text = "The quick brown fox jumps over the lazy dog and then goes home to sleep. ".repeat(6)
  const { page } = await inChat([text], { viewport: { width: 1900, height: 900 } })
  const lines = await page.locator(".message .message-text p").evaluate(paragraph => {
    const words = paragraph.firstChild as Text
    const range = document.createRange()
    const tops = new Map<number, number>()
    for (let place = 0; place < words.length; place += 1) {
      range.setStart(words, place)
      range.setEnd(words, place + 1)
      const top = Math.round(range.getBoundingClientRect().top)
      tops.set(top, (tops.get(top) ?? 0) + 1)
    }
    return [...tops.values()]
  })
  const [picture, head] = [page.locator(".message .picture"), page.locator(".message .head")]
  expect(Math.abs((await picture.boundingBox())!.y - (await head.boundingBox())!.y)).toBeLessThan(12)
  expect(lines.length).toBeGreaterThan(3)
  expect(Math.max(...lines)).toBeLessThanOrEqual(90)
  expect(Math.max(...lines)).toBeGreaterThanOrEqual(65)
})

test("on a phone, Enter starts a new line unless the person changes that, and fields have large text", async () => {
  const { ada, chatId, page } = await inChat([], { viewport: PHONE, isMobile: true, hasTouch: true })
  await composer(page).fill("one")
  await composer(page).press("Enter")
  await composer(page).pressSequentially("two")
  expect(await composer(page).inputValue()).toBe("one\ntwo")
  expect(await composer(page).getAttribute("enterkeyhint")).toBe("enter")
  await page.getByRole("button", { name: "Send" }).click()
  await settled(page)
  expect(await stored(ada, chatId)).toEqual(["one\ntwo"])
  for (const path of [`/chats/${chatId}`, "/settings/profile", "/people"]) {
    await page.goto(path)
    await page.locator("input, textarea, select").first().waitFor({ state: "attached" })
    const sizes = await page
      .locator("input:not([type=checkbox], [type=radio]), textarea, select")
      .evaluateAll(fields => fields.map(field => parseFloat(getComputedStyle(field).fontSize)))
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(16)
  }
  await page.goto("/settings/appearance")
  await page.getByText("Sends the message").click()
  await openChat(page, chatId)
  await write(page, "three")
  await settled(page)
  expect(await stored(ada, chatId)).toEqual(["one\ntwo", "three"])
})

test("a paste that needs many messages asks first and is sent in order", async () => {
  const { ada, chatId, page } = await inChat()
  await composer(page).fill("```" + "a".repeat(3992) + "\n" + "b".repeat(10))
  await page.getByRole("button", { name: "Send as 2 messages" }).click()
  await settled(page)
  expect(await stored(ada, chatId)).toHaveLength(2)
  const text = Array.from({ length: 5000 }, (_, line) => `line ${line}`).join("\n")
  // Inserts the text at once, as a paste does.
  await composer(page).evaluate((area, pasted) => {
    ;(area as HTMLTextAreaElement).value = pasted
    area.dispatchEvent(new Event("input", { bubbles: true }))
  }, text)
  await page.getByRole("button", { name: "Send as 13 messages" }).click()
  await page.getByRole("dialog").getByText("13 messages, one after the other").waitFor()
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click()
  expect(await composer(page).inputValue()).toBe(text)
  await page.getByRole("button", { name: "Send as 13 messages" }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Send as 13 messages" }).click()
  await settled(page)
  expect((await stored(ada, chatId)).slice(2).join("")).toBe(text)
})

test("emoji are found by group and by keyboard; recent ones and the skin tone are stored for the person", async () => {
  const { page } = await inChat()
  const open = () => page.getByRole("button", { name: "Emoji", exact: true }).click()
  await open()
  const picker = page.getByRole("dialog", { name: "Emoji" })
  await picker.getByRole("heading", { name: "Food and drink" }).waitFor({ state: "attached" })
  await picker.getByRole("button", { name: "Flags", exact: true }).click()
  await picker.getByRole("heading", { name: "Flags" }).waitFor()
  await picker.getByRole("button", { name: "Skin tone", exact: true }).click()
  await picker.getByRole("button", { name: "Skin tone 3" }).click()
  await picker.getByPlaceholder("Search emoji").fill("thumbs up")
  await picker.getByRole("button", { name: "thumbs up" }).waitFor()
  await page.keyboard.press("Escape")
  await open()
  await picker.getByPlaceholder("Search emoji").fill("thumbs up")
  await picker.getByRole("button", { name: "thumbs up" }).waitFor()
  await page.keyboard.press("Enter")
  await expect.poll(() => composer(page).inputValue()).toBe("👍🏽")
  await page.reload()
  await composer(page).waitFor()
  await open()
  await picker.getByRole("heading", { name: "Recently used" }).waitFor()
  await picker.getByPlaceholder("Search emoji").focus()
  await page.keyboard.press("ArrowDown")
  await expectFocus(page, /👍🏽/u)
  await page.keyboard.press("ArrowDown")
  await page.keyboard.press("ArrowRight")
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label")))
    .toBe("grinning face with big eyes")
  expect(await picker.locator(".grid [tabindex='0']").count()).toBe(1)
  await expectAccessible(page, ["wcag2a", "wcag2aa"])
})
