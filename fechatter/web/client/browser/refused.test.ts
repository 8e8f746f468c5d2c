import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { composer, newChat, openChat, settled, stored, write } from "./chat.ts"
import { newMember, newOwner, openPage } from "./fixtures.ts"
import { waitUntilDraftStored } from "./saved.ts"

/** Features that a browser may lack or refuse. Each function runs before the scripts of the page. */
const REFUSALS: Record<string, () => void> = {
  "storage throws": () => {
    const get = () => {
      throw new DOMException("denied", "SecurityError")
    }
    for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"])
      Object.defineProperty(globalThis, name, { get, configurable: true })
  },
  "storage is full": () => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError")
    }
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("full", "QuotaExceededError")
    }
  },
  "there are no channels, locks or notifications": () => {
    for (const name of ["BroadcastChannel", "Notification"])
      Object.defineProperty(globalThis, name, { value: undefined })
    Object.defineProperty(Navigator.prototype, "locks", { value: undefined })
  },
  "the database never answers": () => {
    indexedDB.open = () => new EventTarget() as IDBOpenDBRequest
  },
}

test.each(Object.keys(REFUSALS))("the client works if %s", async refusal => {
  const ada = await newOwner()
  const chatId = await newChat(ada, { name: "workshop" })
  const page = await openPage({ serviceWorkers: "block" })
  await page.addInitScript(REFUSALS[refusal]!)
  await ada.signIn(page)
  await page.getByRole("link", { name: "workshop" }).click()
  await composer(page).waitFor()
  await write(page, "I am here")
  await settled(page)
  expect(await stored(ada, chatId)).toEqual(["I am here"])
})

/** Simulates an update: the server no longer has the chunks that match. */
async function removeChunks(page: Page, pattern: RegExp): Promise<void> {
  await page.route(pattern, route => route.fulfill({ status: 404 }))
}

test("if an older client cannot load a page or the emoji, it offers a reload to the newest client", async () => {
  const ada = await newOwner()
  const chatId = await newChat(ada)
  const page = await openPage({ serviceWorkers: "block" })
  await ada.enter(page)
  await openChat(page, chatId)
  await removeChunks(page, /\/static\/assets\/(?:PeoplePage|EmojiPicker)[^/]*\.js$/u)
  const offer = page.getByRole("alert").filter({ hasText: "Reload to get the latest version." })
  await page.getByRole("button", { name: "Emoji" }).click()
  await offer.waitFor()
  await page.getByRole("button", { name: "People" }).click()
  expect(await offer.count()).toBe(1)
  await composer(page).fill("half a thought")
  await waitUntilDraftStored(page, "half a thought")
  await page.unroute(/PeoplePage/u)
  await page.unrouteAll()
  await Promise.all([page.waitForEvent("load"), offer.getByRole("button", { name: "Reload" }).click()])
  await composer(page).waitFor()
  await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>(".composer textarea")?.value)
  await page.getByRole("button", { name: "Emoji" }).click()
  await page.getByRole("dialog", { name: "Emoji" }).waitFor()
})

test("keys that an input method uses have no other effect, in any order of the browser's events", async () => {
  const ada = await newOwner()
  await newMember(ada, "Grace Hopper")
  const chatId = await newChat(ada, { name: "general" })
  await newChat(ada, { name: "other" })
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  const composed = (selector: string) =>
    page.locator(selector).evaluate(field => {
      for (const key of ["ArrowDown", "Enter", "Escape"])
        for (const options of [{ isComposing: true }, { keyCode: 229 }])
          field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...options }))
    })
  const place = page.url()

  await page.keyboard.press("Control+k")
  await page.getByRole("dialog").getByRole("combobox").fill("other")
  await page.getByRole("option").first().waitFor()
  await composed("dialog [role=combobox]")
  expect(await page.getByRole("dialog").count()).toBe(1)
  await page.keyboard.press("Escape")

  await page.getByPlaceholder("Find a chat").fill("other")
  await composed(".chat-list input")
  expect(await page.getByPlaceholder("Find a chat").inputValue()).toBe("other")
  expect(page.url()).toBe(place)

  await page.keyboard.press("Control+Shift+o")
  await page.getByRole("dialog").getByRole("combobox").fill("Grace")
  await page.getByRole("option").first().waitFor()
  await composed("dialog [role=combobox]")
  expect(await page.getByRole("option").count()).toBe(1)
  await page.keyboard.press("Escape")

  await composer(page).fill("a")
  await composed(".composer textarea")
  expect(await composer(page).inputValue()).toBe("a")
  await page.getByRole("button", { name: "Emoji" }).click()
  await page.getByPlaceholder("Search emoji").fill("tada")
  await page.locator(".picker .grid button").first().waitFor()
  await composed(".picker input")
  expect(await page.locator(".picker").count()).toBe(1)
  expect(await composer(page).inputValue()).toBe("a")
})

test("after files are dropped or pasted, the page stays and shows that they cannot be sent", async () => {
  const ada = await newOwner()
  const chatId = await newChat(ada)
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  const prevented = await page.evaluate(() => {
    const files = new DataTransfer()
    files.items.add(new File(["x"], "x.png", { type: "image/png" }))
    const options = { bubbles: true, cancelable: true }
    const area = document.querySelector(".composer textarea")!
    const events = [
      new DragEvent("dragover", { ...options, dataTransfer: files }),
      new DragEvent("drop", { ...options, dataTransfer: files }),
      new ClipboardEvent("paste", { ...options, clipboardData: files }),
    ]
    return events.map((event, place) => !(place < 2 ? document.body : area).dispatchEvent(event))
  })
  expect(prevented).toEqual([true, true, true])
  const notice = page.getByText("You can't send files yet.")
  await notice.waitFor()
  expect(await notice.count()).toBe(1)
  const text = await page.evaluate(() => {
    const words = new DataTransfer()
    words.setData("text/plain", "words")
    return document.body.dispatchEvent(new DragEvent("drop", { cancelable: true, bubbles: true, dataTransfer: words }))
  })
  expect(text).toBe(true)
})
