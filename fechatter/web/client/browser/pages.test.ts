import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { newChat, openChat } from "./chat.ts"
import { DESKTOP, PHONE } from "./chromium.ts"
import { expectAccessible, expectNoOverflow, newMember, newOwner, openPage } from "./fixtures.ts"
import type { Person } from "./people.ts"

const OUTSIDE = ["/signin", "/signup", "/setup#token=none", "/join#token=none", "/gallery"]
const INSIDE = ["/", "/settings/profile", "/settings/appearance", "/settings/notifications", "/settings/account"]

const WIDE = [
  `https://example.org/${"a-very-long-address/".repeat(12)}`,
  `\`\`\`python\nprint("${"wide ".repeat(60)}")\n\`\`\``,
  `- **${"字".repeat(200)}** 👋\n> ${"W".repeat(300)}`,
]

/** A channel of two people who have sent messages that are longer than a line. */
async function wideChat(ada: Person): Promise<number> {
  const grace = await newMember(ada, "Grace Brewster Murray Hopper of Arlington")
  const chatId = await newChat(ada, { name: `launch-${"of-everything-".repeat(6)}`, members: [grace] })
  for (const content of WIDE) {
    for (const who of [ada, grace]) await who.call("POST", `/api/chat/${chatId}/messages`, { content })
  }
  return chatId
}

async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path)
  await page.locator("h1, .workspace").first().waitFor({ state: "attached" })
  await page.waitForFunction(() => !document.querySelector(".skeleton") || location.pathname === "/gallery")
  if (path.startsWith("/chats/")) await page.locator(".message").first().waitFor()
}

test("all pages are accessible, in light and dark", async () => {
  const ada = await newOwner()
  const page = await openPage({ viewport: DESKTOP })
  const check = async (path: string) => {
    await visit(page, path)
    await page.emulateMedia({ colorScheme: "light" })
    await expectAccessible(page)
    await page.emulateMedia({ colorScheme: "dark" })
    await expectAccessible(page, ["color-contrast"])
  }
  for (const path of OUTSIDE) await check(path)
  await ada.enter(page)
  for (const path of INSIDE) await check(path)
})

test("a chat, its details, people, the switcher and a new channel are accessible", async () => {
  const ada = await newOwner()
  const chatId = await wideChat(ada)
  const page = await openPage({ viewport: DESKTOP })
  await ada.enter(page)
  await openChat(page, chatId)
  await page.locator(".message pre span").first().waitFor({ state: "attached" })
  await page.getByRole("button", { name: "Details", exact: true }).click()
  await page.locator("aside.details .member").first().waitFor()
  await expectAccessible(page)
  await page.emulateMedia({ colorScheme: "dark" })
  await visit(page, "/people")
  await page.getByText("Grace Brewster").first().click()
  await page.locator("aside.details .card").waitFor()
  await expectAccessible(page)
  await page.keyboard.press("Control+k")
  await page.getByRole("dialog").getByRole("option").first().waitFor()
  await expectAccessible(page)
  await page.keyboard.press("Escape")
  await page.emulateMedia({ colorScheme: "light" })
  await page.getByRole("button", { name: "Add channels" }).click()
  await page.getByRole("menuitem", { name: "New channel" }).click()
  await page.getByRole("dialog").getByRole("option").first().waitFor()
  await expectAccessible(page)
})

test("every page fits a phone in every language", async () => {
  const ada = await newOwner()
  const page = await openPage({ viewport: PHONE, isMobile: true, hasTouch: true })
  const check = async (paths: string[]) => {
    for (const locale of ["en", "zh", "ja"]) {
      await page.evaluate(tag => localStorage.setItem("fechatter.locale", tag), locale)
      for (const path of paths) {
        await visit(page, path)
        expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale)
        await expectNoOverflow(page)
      }
    }
  }
  await visit(page, "/gallery")
  await expectNoOverflow(page)
  await check(["/signin", "/setup#token=none", "/join#token=none"])
  await ada.enter(page)
  await check([...INSIDE, "/people", `/chats/${await wideChat(ada)}`])
})

test("the language and the theme change at once and stay after a reload", async () => {
  const page = await openPage()
  await page.goto("/signin")
  await page.getByRole("button", { name: "English" }).click()
  await page.getByRole("menuitemradio", { name: "日本語" }).press("Enter")
  await page.getByRole("button", { name: "サインイン" }).waitFor()
  await page.reload()
  await page.getByRole("button", { name: "サインイン" }).waitFor()
  await page.goto("/gallery")
  await page.getByText("dark", { exact: true }).click()
  await page.reload()
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe("dark")
})

test("a menu and a dialog work by keyboard alone and restore the focus", async () => {
  const page = await openPage()
  await page.goto("/gallery")
  const opener = page.getByRole("button", { name: "More actions" })
  await opener.focus()
  await page.keyboard.press("Enter")
  await page.keyboard.press("ArrowDown")
  await page.keyboard.press("d")
  await expect.poll(() => page.locator(":focus").textContent()).toContain("Delete")
  await page.keyboard.press("Escape")
  // The browser reports a closed menu in a later event.
  await expect.poll(() => opener.evaluate(element => element === document.activeElement)).toBe(true)
  const button = page.getByRole("button", { name: "Open a dialog" })
  await button.focus()
  await page.keyboard.press("Enter")
  await page.getByRole("dialog").waitFor()
  await page.keyboard.press("Escape")
  await page.getByRole("dialog").waitFor({ state: "detached" })
  await expect.poll(() => button.evaluate(element => element === document.activeElement)).toBe(true)
})
