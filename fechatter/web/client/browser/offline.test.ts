import { expect, onTestFinished, test } from "vitest"
import { composer, newChat, openChat, phase, settled, shown, stored, write } from "./chat.ts"
import { newOwner, openPage, server } from "./fixtures.ts"
import { waitUntilMessageStored, waitUntilSaved } from "./saved.ts"
import { Person } from "./people.ts"
import { Proxy } from "./proxy.ts"
import { Server } from "./server.ts"

const WORDS = ["first", "second", "third", "fourth", "fifth"]

test("messages that are written without a network are shown as waiting, and later sent once and in order", async () => {
  const ada = await newOwner()
  const chatId = await newChat(ada)
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await page.context().setOffline(true)
  for (const word of WORDS) await write(page, word)
  await page.getByText("Will send when you're back online").first().waitFor()
  // Each message is shown after the previous one is stored.
  await expect.poll(() => page.locator(".waiting").count()).toBe(WORDS.length)
  expect(await phase(page)).not.toBe("live")
  expect(await stored(ada, chatId)).toEqual([])
  await page.context().setOffline(false)
  await settled(page)
  await page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })
  await expect.poll(() => shown(page)).toEqual(WORDS)
  expect(await stored(ada, chatId)).toEqual(WORDS)
})

test("if the server is killed during sending, no message is lost or stored twice", async () => {
  const own = await Server.make({ signup: "open" })
  onTestFinished(() => own.stop())
  const ada = await Person.owner(own, "ada@example.org", "Ada Lovelace", "Analytical Engines")
  const chatId = await newChat(ada)
  const page = await openPage({}, own.url)
  await ada.enter(page)
  await openChat(page, chatId)
  await write(page, "before")
  await settled(page)
  await waitUntilSaved(page)
  const words = Array.from({ length: 30 }, (_, place) => `word ${place}`)
  for (const word of words.slice(0, 10)) await write(page, word)
  const dying = own.kill()
  for (const word of words.slice(10)) await write(page, word)
  await dying
  await page
    .locator(".connection[data-phase=waiting], .connection[data-phase=connecting]")
    .waitFor({ state: "attached" })
  await page.locator(".waiting").first().waitFor()
  // The browser stores the messages, so a reload loses none.
  await waitUntilMessageStored(page, words.at(-1)!)
  await page.reload()
  await page.locator(".waiting").first().waitFor()
  await own.restart()
  await settled(page)
  await page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })
  expect(await stored(ada, chatId)).toEqual(["before", ...words])
  await expect.poll(() => shown(page)).toEqual(["before", ...words])
})

test("without a server, the client starts, shows the saved state and accepts messages", async () => {
  const proxy = await Proxy.before(server.url)
  const ada = await newOwner()
  const chatId = await newChat(ada)
  await ada.call("POST", `/api/chat/${chatId}/messages`, { content: "read me on the train" })
  const page = await openPage({}, proxy.url)
  await ada.enter(page)
  await openChat(page, chatId)
  await page.getByText("read me on the train").waitFor()
  await waitUntilSaved(page)
  const cached = await page.evaluate(async () => {
    const caching = await Promise.all((await caches.keys()).map(async name => (await caches.open(name)).keys()))
    return caching.flat().map(request => new URL(request.url).pathname)
  })
  expect(cached).toContain("/")
  expect(cached.filter(path => path !== "/" && !path.startsWith("/static/"))).toEqual([])
  await proxy.stop()
  await page.goto(`/chats/${chatId}`)
  await page.getByText("read me on the train").waitFor()
  await write(page, "written in a tunnel")
  await page.locator(".waiting", { hasText: "written in a tunnel" }).waitFor()
  expect(await phase(page)).not.toBe("live")
})

test("a newer client is offered, is used on request, and keeps unsent text", async () => {
  const proxy = await Proxy.before(server.url)
  onTestFinished(() => proxy.stop())
  const ada = await newOwner()
  const chatId = await newChat(ada)
  const page = await openPage({}, proxy.url)
  await ada.enter(page)
  await openChat(page, chatId)
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  await page.reload()
  await composer(page).fill("half a thought")
  proxy.isNewer = true
  await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()))
  await page.getByText("A new version is ready.").waitFor()
  expect(await composer(page).inputValue()).toBe("half a thought")
  const other = await page.context().newPage()
  await openChat(other, chatId)
  await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Reload" }).click()])
  await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>(".composer textarea")?.value)
  expect(await composer(page).inputValue()).toBe("half a thought")
  expect(await page.getByText("A new version is ready.").count()).toBe(0)
  await other.getByText("A new version is ready.").waitFor()
})

test("signing out also deletes the stored client", async () => {
  const ada = await newOwner()
  const chatId = await newChat(ada)
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  expect(await page.evaluate(() => caches.keys())).toHaveLength(1)
  await page.locator("nav.sidebar .workspace").click()
  await page.getByRole("menuitem", { name: "Sign out" }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click()
  await page.waitForURL(/\/signin/u)
  await expect.poll(() => page.evaluate(async () => (await caches.keys()).length)).toBe(0)
  await page.reload()
  const left = () =>
    page.evaluate(async () => [(await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length])
  await expect.poll(left).toEqual([0, 0])
})
