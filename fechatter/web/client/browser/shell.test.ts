import { expect, test } from "vitest"
import { composer, newChat, openChat, write } from "./chat.ts"
import { PHONE } from "./chromium.ts"
import { expectAccessible, newMember, newOwner, openPage } from "./fixtures.ts"
import { PASSWORD, Person } from "./people.ts"

const ANOTHER = "another horse battery"

test("a reset link sets a password once, and a second link in the same tab starts again", async () => {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  const page = await openPage()
  await ada.enter(page)
  await page.goto("/people")
  await page.getByRole("main").getByText("Grace Hopper").click()
  await page.getByRole("button", { name: "Create a password reset link" }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Create link" }).waitFor()
  // The dialog opens with the focus on this button.
  await page.keyboard.press("Enter")
  const link = await page.getByRole("dialog").getByRole("textbox", { name: "Link" }).inputValue()
  await expectAccessible(page)
  const there = await openPage()
  await there.goto(link)
  await there.getByText("For Grace Hopper in").waitFor()
  await expectAccessible(there)
  await there.getByLabel("New password", { exact: true }).fill("short")
  await there.getByRole("button", { name: "Set password" }).click()
  const error = there.getByRole("alert")
  await error.first().waitFor()
  await there
    .getByRole("button", { name: /request/iu })
    .first()
    .waitFor()
  await there.getByLabel("New password", { exact: true }).fill(ANOTHER)
  await error.first().waitFor({ state: "detached" })
  await there.getByRole("button", { name: "Set password" }).click()
  await there.locator("nav.sidebar .workspace").waitFor()
  const used = await openPage()
  await used.goto(link)
  await used.getByText("This link has already been used.").waitFor()
  const { url } = await ada.call<{ url: string }>("POST", `/api/users/${grace.id}/password-reset`)
  await used.evaluate(hash => (location.hash = hash), new URL(url).hash)
  await used.getByText("For Grace Hopper in").waitFor()
})

test("signing in to a disabled account with the right password shows that it is disabled", async () => {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  await ada.call("PATCH", `/api/users/${grace.id}`, { disabled: true })
  const page = await openPage()
  await page.goto("/signin")
  await page.getByLabel("E-mail").fill(grace.email)
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD)
  await page.getByRole("button", { name: "Sign in" }).click()
  await page.getByText(/disabled/iu).waitFor()
  await page.getByLabel("Password", { exact: true }).fill("something else")
  await page.getByText(/disabled/iu).waitFor({ state: "detached" })
})

test("a direct chat appears to the other person with its first message", async () => {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  const there = await openPage()
  await grace.enter(there)
  const chatId = await newChat(ada, { chat_type: "single", members: [grace] })
  await newChat(ada, { name: "marker", members: [grace] })
  const sidebar = there.getByRole("navigation")
  await sidebar.getByRole("link", { name: "marker" }).waitFor()
  expect(await sidebar.getByRole("link", { name: "Ada Lovelace" }).count()).toBe(0)
  await ada.call("POST", `/api/chat/${chatId}/messages`, { content: "Hello" })
  await sidebar.getByRole("link", { name: /Ada Lovelace/u }).waitFor()
})

test("an existing group is offered instead of a second one", async () => {
  const ada = await newOwner()
  const people: Person[] = [await newMember(ada, "Grace Hopper"), await newMember(ada, "Joan Clarke")]
  const chatId = await newChat(ada, { chat_type: "group", members: people })
  const page = await openPage()
  await ada.enter(page)
  await page.getByRole("navigation").getByRole("button", { name: "New message" }).first().click()
  const picker = page.getByRole("dialog").getByRole("combobox")
  for (const name of ["hopper", "clarke"]) {
    await picker.fill(name)
    // Until the response arrives, the list shows the matches of the previous query.
    await page.locator('dialog [role="option"][aria-selected="true"]', { hasText: new RegExp(name, "iu") }).waitFor()
    await page.keyboard.press("Enter")
  }
  await page.getByRole("dialog").getByRole("button", { name: "Open it" }).click()
  await page.waitForURL(`**/chats/${chatId}`)
})

test("on a phone, Back first closes the details and then leaves the chat", async () => {
  const ada = await newOwner()
  const chatId = await newChat(ada, { name: "launch" })
  const page = await openPage({ viewport: PHONE })
  await ada.enter(page)
  await page.getByRole("link", { name: "launch" }).click()
  await composer(page).waitFor()
  await page.getByRole("button", { name: "Details", exact: true }).click()
  await page.locator("aside.details").waitFor()
  await page.goBack()
  await page.locator("aside.details").waitFor({ state: "detached" })
  expect(new URL(page.url()).pathname).toBe(`/chats/${chatId}`)
  await page.getByRole("button", { name: "Details", exact: true }).click()
  await page.getByRole("button", { name: /close/iu }).first().click()
  await page.locator("aside.details").waitFor({ state: "detached" })
  await page.goBack()
  await page.waitForURL(url => url.pathname === "/")
})

test("a truncated name is shown in full, by pointer and by keyboard", async () => {
  const ada = await newOwner()
  const name = `launch-${"of-everything-".repeat(6)}`
  await newChat(ada, { name })
  const page = await openPage()
  await ada.enter(page)
  const row = page.getByRole("navigation").getByRole("link", { name })
  await row.hover()
  await page.locator(".tip", { hasText: name }).waitFor()
  await page.mouse.move(600, 400)
  await page.locator(".tip", { hasText: name }).waitFor({ state: "hidden" })
  await row.focus()
  await page.keyboard.press("ArrowUp")
  await page.keyboard.press("ArrowDown")
  await page.locator(".tip", { hasText: name }).waitFor()
})

test("the time has the region's format, or the chosen one", async () => {
  const ada = await newOwner()
  const chatId = await newChat(ada)
  const page = await openPage({ locale: "en-GB" })
  await ada.enter(page)
  await openChat(page, chatId)
  await write(page, "What time is it?")
  const time = page.locator(".message time").first()
  await time.waitFor()
  expect(await time.innerText()).toMatch(/^\d\d:\d\d$/u)
  await page.goto("/settings/appearance")
  await page.getByRole("radio", { name: "12-hour" }).check({ force: true })
  await page.goto(`/chats/${chatId}`)
  await time.waitFor()
  expect(await time.innerText()).toMatch(/^\d{1,2}:\d\d\s?[ap]m$/iu)
})
