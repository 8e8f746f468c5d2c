import { expect, test } from "vitest"
import { composer, newChat, openChat, settled, write } from "./chat.ts"
import { newMember, newOwner, openPage } from "./fixtures.ts"

/** A script that runs calls `hit`. */
const MARKUP = [
  `<img src=x onerror="hit('img')">`,
  `<script>hit('script')</script>`,
  `<svg><script>hit('svg')</script></svg>`,
  `<iframe srcdoc="<script>parent.hit('frame')</script>"></iframe>`,
  `"><details open ontoggle=hit('details')>`,
  `{{ hit('template') }} {{constructor.constructor('hit(1)')()}}`,
]
const SCHEMES = [
  "javascript:hit('js')",
  "JaVaScRiPt:hit('js')",
  "java\tscript:hit('tab')",
  "javascript&colon;hit('entity')",
  "vbscript:hit('vb')",
  "data:text/html,<script>hit('data')</script>",
  "blob:http://127.0.0.1/x",
  "file:///etc/passwd",
  "fechatter://chats/1",
  "//other.example/x",
]
const MARKDOWN = [
  ...SCHEMES.flatMap(address => [`[click](${address})`, `[click](<${address}>)`, `<${address}>`]),
  `![picture](https://other.example/seen.png "x" onerror=hit('picture'))`,
  `[click](https://example.org/" onmouseover="hit('attribute'))`,
  "```\"><img src=x onerror=hit('fence')>\ncode\n```",
  "[1]: javascript:hit('reference')\n\n[click][1]",
  "\u202egnp.exe\u202c <b onclick=hit('bidi')>bold</b>",
]

test("hostile names, messages and pasted content run no script, load nothing and create no unsafe link", async () => {
  const ada = await newOwner()
  const mallory = await newMember(ada, MARKUP[0]!)
  const name = `<img src=x onerror=hit('name')>`
  const chatId = await newChat(ada, { name, members: [mallory] })
  await newChat(mallory, { chat_type: "single", members: [ada] })
  await ada.call("PATCH", `/api/chat/${chatId}`, { description: MARKUP[1] })
  const page = await openPage()
  await page.exposeFunction("hit", (what: string) => hits.push(what))
  const hits: string[] = []
  const outside: string[] = []
  page.context().on("request", request => {
    if (new URL(request.url()).hostname !== "127.0.0.1") outside.push(request.url())
  })
  await ada.enter(page)
  await openChat(page, chatId)
  const messages = [...MARKUP, ...MARKDOWN].map(content => ({ content }))
  await mallory.call("POST", `/api/chat/${chatId}/messages/batch`, { messages })
  await page.waitForFunction(count => document.querySelectorAll(".message").length >= count, messages.length)

  await composer(page).evaluate((area, html) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData("text/html", html)
    clipboardData.setData("text/plain", html)
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))
  }, MARKUP[0]!)
  await write(page, MARKUP[0]!)
  await settled(page)

  const links = await page.locator(".message a").evaluateAll(all => all.map(link => link.getAttribute("href")))
  expect(links.filter(href => !/^https?:\/\/|^mailto:/u.test(href ?? ""))).toEqual([])
  expect(await page.locator(".message a:not([rel~=noopener][rel~=noreferrer])").count()).toBe(0)
  expect(await page.locator(".message :is(img, script, iframe, svg script, details)").count()).toBe(0)
  const handlers = await page.evaluate(() =>
    [...document.querySelectorAll("*")].flatMap(element =>
      element.getAttributeNames().filter(attribute => attribute.startsWith("on")),
    ),
  )
  expect(handlers).toEqual([])
  await page.locator(".message a").first().hover()
  expect(hits).toEqual([])
  expect(outside).toEqual([])
})

test("an address in the query of the sign-in page opens no other site", async () => {
  const ada = await newOwner()
  const page = await openPage()
  await page.goto("/signin?next=//other.example/&next=javascript:hit(1)")
  await page.getByLabel("E-mail").fill(ada.email)
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery")
  await page.getByRole("button", { name: "Sign in" }).click()
  await page.locator("nav.sidebar .workspace").waitFor()
  expect(new URL(page.url()).hostname).toBe("127.0.0.1")
})

test("a letter with a thousand combining marks does not cover the messages above", async () => {
  const ada = await newOwner()
  const chatId = await newChat(ada, { chat_type: "private_channel", name: "marks", members: [] })
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  await ada.call("POST", `/api/chat/${chatId}/messages/batch`, {
    messages: [{ content: "above" }, { content: "below" }],
  })
  const above = page.locator(".message", { hasText: "above" }).locator(".message-text")
  await page.locator(".message", { hasText: "below" }).waitFor()
  const before = await above.screenshot()
  const sent = await ada.call<{ items: { id: number }[] }>("GET", `/api/chat/${chatId}/messages?limit=1`)
  await ada.call("PATCH", `/api/chat/${chatId}/messages/${sent.items[0]!.id}`, { content: `a${"\u0301".repeat(1000)}` })
  await page.locator(".message .edited").waitFor()
  await page.evaluate(() => document.fonts.ready)
  expect((await above.screenshot()).equals(before)).toBe(true)
})
