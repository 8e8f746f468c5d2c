import type { Page } from "playwright-core"
import { expect, onTestFinished, test } from "vitest"
import { composer, newChat, openChat, settled, shown, write } from "./chat.ts"
import { newMember, newOwner, openPage, server } from "./fixtures.ts"
import { Person } from "./people.ts"
import { Proxy } from "./proxy.ts"
import { Server } from "./server.ts"

const isLive = (page: Page) => page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })

/** Collects the paths of the page's live connections, and the texts that it sends on sockets. */
function connections(page: Page) {
  const found = { paths: [] as string[], sent: [] as string[] }
  page.on("websocket", socket => {
    found.paths.push(new URL(socket.url()).pathname)
    socket.on("framesent", frame => found.sent.push(String(frame.payload)))
  })
  page.on("request", request => {
    const { pathname } = new URL(request.url())
    if (pathname === "/events") found.paths.push(pathname)
  })
  return found
}

test("the live connection is a WebSocket, which also carries that the person types", async () => {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  const chatId = await newChat(ada, { members: [grace] })
  const [page, other] = [await openPage(), await openPage()]
  const found = connections(page)
  await ada.enter(page)
  await openChat(page, chatId)
  await isLive(page)
  await grace.enter(other)
  await openChat(other, chatId)
  await isLive(other)
  await grace.call("POST", `/api/chat/${chatId}/messages`, { content: "Hello" })
  await expect.poll(() => shown(page)).toEqual(["Hello"])
  await composer(page).pressSequentially("Hi")
  await expect.poll(() => other.locator(".typing").innerText()).toBe("Ada Lovelace is typing…")
  expect(found.sent).toContain(JSON.stringify({ type: "typing", chat_id: chatId }))
  expect(new Set(found.paths)).toEqual(new Set(["/ws"]))
})

test("a socket resumes after the server was killed, and no message is lost", async () => {
  const own = await Server.make({ signup: "open" })
  onTestFinished(() => own.stop())
  const ada = await Person.owner(own, "ada@example.org", "Ada Lovelace", "Analytical Engines")
  const grace = await ada.invite("grace@example.org", "Grace Hopper")
  const chatId = await newChat(ada, { members: [grace] })
  const page = await openPage({}, own.url)
  const found = connections(page)
  await ada.enter(page)
  await openChat(page, chatId)
  await isLive(page)
  await write(page, "before")
  await settled(page)
  await own.kill()
  await page.locator(".connection:not([data-phase=live])").waitFor({ state: "attached" })
  await own.restart()
  await grace.call("POST", `/api/chat/${chatId}/messages`, { content: "meanwhile" })
  await isLive(page)
  await expect.poll(() => shown(page)).toEqual(["before", "meanwhile"])
  expect(new Set(found.paths)).toEqual(new Set(["/ws"]))
})

test("behind a proxy that passes on no sockets, the live connection is Server-Sent Events", async () => {
  const proxy = await Proxy.before(server.url)
  onTestFinished(() => proxy.stop())
  const ada = await newOwner()
  const chatId = await newChat(ada)
  const page = await openPage({}, proxy.url)
  const found = connections(page)
  await ada.signIn(page)
  await openChat(page, chatId)
  await isLive(page)
  await ada.call("POST", `/api/chat/${chatId}/messages`, { content: "Hello" })
  await expect.poll(() => shown(page)).toEqual(["Hello"])
  expect(found.paths).toContain("/ws")
  expect(found.paths.at(-1)).toBe("/events")
})
