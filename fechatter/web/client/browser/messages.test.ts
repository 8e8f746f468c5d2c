import { expect, test } from "vitest"
import { composer, newChat, openChat, shown, stored, write } from "./chat.ts"
import { newMember, newOwner, openPage } from "./fixtures.ts"
import { waitUntilDraftStored } from "./saved.ts"

test("a message that is sent, edited and deleted in one browser changes in the other at once", async () => {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  const chatId = await newChat(ada, { members: [grace] })
  const [here, there] = [await openPage(), await openPage()]
  await Promise.all([ada.enter(here), grace.enter(there)])
  await Promise.all([openChat(here, chatId), openChat(there, chatId)])

  await write(here, "Good morning, **Grace**")
  await there.locator(".message strong", { hasText: "Grace" }).waitFor()
  await write(there, "Good morning!")
  await here.getByText("Good morning!").waitFor()
  for (const page of [here, there])
    await expect.poll(() => shown(page)).toEqual(["Good morning, Grace", "Good morning!"])

  await composer(here).press("ArrowUp")
  await here.locator(".editor textarea").fill("Good evening, Grace")
  await here.locator(".editor textarea").press("Enter")
  await there.getByText("Good evening, Grace").waitFor()
  await there.locator(".edited").waitFor()

  const mine = here.locator(".message").first()
  await mine.hover()
  await mine.getByRole("button", { name: "More actions" }).click()
  await here.getByRole("menuitem", { name: "Delete" }).click()
  await here.getByRole("dialog").getByRole("button", { name: "Delete" }).click()
  await there.getByText("This message was deleted.").waitFor()
  expect(await stored(ada, chatId)).toEqual(["", "Good morning!"])
})

test("a new chat of each of the four kinds appears to its members at once, and to nobody else", async () => {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  const joan = await newMember(ada, "Joan Clarke")
  const [hers, others] = [await openPage(), await openPage()]
  await Promise.all([grace.enter(hers), joan.enter(others)])
  const single = await newChat(ada, { chat_type: "single", members: [grace] })
  await ada.call("POST", `/api/chat/${single}/messages`, { content: "Hello" })
  await newChat(ada, { chat_type: "group", members: [grace, joan] })
  await newChat(ada, { chat_type: "private_channel", name: "secret", members: [grace] })
  const open = await newChat(ada, { chat_type: "public_channel", name: "everybody" })
  const sidebar = hers.getByRole("navigation")
  await sidebar.getByRole("link", { name: /^Ada Lovelace(?!,)/u }).waitFor()
  await sidebar.getByRole("link", { name: /Ada Lovelace, Joan Clarke|Joan Clarke, Ada Lovelace/u }).waitFor()
  await sidebar.getByRole("link", { name: "secret" }).waitFor()
  await others
    .getByRole("navigation")
    .getByRole("link", { name: /Grace Hopper/u })
    .waitFor()
  await joan.call("POST", `/api/chat/${open}/join`)
  await others.getByRole("navigation").getByRole("link", { name: "everybody" }).waitFor()
  expect(await others.getByRole("link", { name: "secret" }).count()).toBe(0)
  expect(await hers.getByRole("link", { name: "everybody" }).count()).toBe(0)
})

test("a person who is removed from a chat sees a notice at once and no content of the chat", async () => {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  const chatId = await newChat(ada, { name: "secret", members: [grace] })
  await ada.call("POST", `/api/chat/${chatId}/messages`, { content: "for our eyes" })
  const page = await openPage()
  await grace.enter(page)
  await openChat(page, chatId)
  await page.getByText("for our eyes").waitFor()
  await composer(page).fill("an answer that is never se")
  await ada.call("DELETE", `/api/chat/${chatId}/members/${grace.id}`)
  await page.getByText("Chat not found").waitFor()
  expect(await page.getByText("for our eyes").count()).toBe(0)
  expect(await page.getByRole("link", { name: "secret" }).count()).toBe(0)
  await page.reload()
  await page.getByText("Chat not found").waitFor()
  expect(await composer(page).count()).toBe(0)
})

test("the Enter key that ends a composition does not send the message", async () => {
  const ada = await newOwner()
  const chatId = await newChat(ada)
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, chatId)
  const keyboard = await page.context().newCDPSession(page)
  await composer(page).focus()
  await keyboard.send("Input.imeSetComposition", { text: "ni hao", selectionStart: 6, selectionEnd: 6 })
  await expect.poll(() => composer(page).inputValue()).toBe("ni hao")
  await composer(page).evaluate(area => {
    const options = { key: "Enter", bubbles: true, cancelable: true }
    area.dispatchEvent(new KeyboardEvent("keydown", { ...options, isComposing: true }))
    // Safari ends the composition before this event, so only the code shows that an input method used the key.
    area.dispatchEvent(new KeyboardEvent("keydown", { ...options, keyCode: 229 }))
  })
  await keyboard.send("Input.insertText", { text: "你好" })
  await expect.poll(() => composer(page).inputValue()).toBe("你好")
  expect(await page.locator(".message, .waiting").count()).toBe(0)
  await composer(page).press("Enter")
  await page.locator(".message", { hasText: "你好" }).waitFor()
  expect(await stored(ada, chatId)).toEqual(["你好"])
})

test("a draft survives a reload in its own chat, and disappears after it is sent", async () => {
  const ada = await newOwner()
  const [one, two] = [await newChat(ada, { name: "one" }), await newChat(ada, { name: "two" })]
  const page = await openPage()
  await ada.enter(page)
  await openChat(page, one)
  await composer(page).pressSequentially("half a thought", { delay: 10 })
  await waitUntilDraftStored(page, "half a thought")
  await page.reload()
  await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>(".composer textarea")?.value)
  expect(await composer(page).inputValue()).toBe("half a thought")
  await openChat(page, two)
  expect(await composer(page).inputValue()).toBe("")
  await openChat(page, one)
  await composer(page).press("Enter")
  await page.locator(".message", { hasText: "half a thought" }).waitFor()
  await page.reload()
  await page.locator(".message", { hasText: "half a thought" }).waitFor()
  expect(await composer(page).inputValue()).toBe("")
})
