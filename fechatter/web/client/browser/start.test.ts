import { test } from "vitest"
import { composer, newChat, openChat } from "./chat.ts"
import { newOwner, openPage } from "./fixtures.ts"
import { PASSWORD } from "./people.ts"

const ENTRY = "**/static/assets/index-*.js"

test.each([
  ["en-GB", "Fechatter could not be loaded.", "Reload"],
  ["ja", "Fechatter を読み込めませんでした。", "再読み込み"],
])("a page whose script is missing offers a reload, in %s", async (locale, text, label) => {
  const page = await openPage({ locale })
  await page.route(ENTRY, route => route.fulfill({ status: 404 }))
  await page.goto("/signin")
  await page.getByText(text).waitFor()
  await page.unroute(ENTRY)
  await page.getByRole("button", { name: label }).click()
  await page.locator("input[type=email]").waitFor()
})

test("after signing in again, the last chat opens", async () => {
  const ada = await newOwner()
  const chatId = await newChat(ada)
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await composer(page).waitFor()
  await page.locator("nav.sidebar .workspace").click()
  await page.getByRole("menuitem", { name: "Sign out" }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click()
  await page.waitForURL(/\/signin/u)
  await page.getByLabel("E-mail").fill(ada.email)
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD)
  await page.getByRole("button", { name: "Sign in" }).click()
  await page.waitForURL(`**/chats/${chatId}`)
  await composer(page).waitFor()
})
