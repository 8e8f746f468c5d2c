import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { composer, newChat, openChat, shown, write } from "./chat.ts"
import { expectAccessible, newMember, newOwner, openPage } from "./fixtures.ts"

const line = (page: Page) => page.locator(".typing")
const isLive = (page: Page) => page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })

async function twoInAChat() {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  const chatId = await newChat(ada, { members: [grace] })
  const [reader, writer] = [await openPage(), await openPage()]
  for (const [person, page] of [
    [ada, reader],
    [grace, writer],
  ] as const) {
    await person.enter(page)
    await openChat(page, chatId)
    await isLive(page)
  }
  return { ada, grace, chatId, reader, writer }
}

test("a person who types is named under the messages until the message arrives, and nothing moves", async () => {
  const { reader, writer } = await twoInAChat()
  const place = () => reader.locator(".composer").boundingBox()
  const before = await place()
  await composer(writer).pressSequentially("Hello")
  await expect.poll(() => line(reader).innerText()).toBe("Grace Hopper is typing…")
  expect(await place()).toEqual(before)
  expect(await line(reader).getAttribute("aria-hidden")).toBe("true")
  expect(await line(writer).innerText()).toBe("")
  await expectAccessible(reader)
  await composer(writer).press("Enter")
  await expect.poll(() => shown(reader)).toEqual(["Hello"])
  await expect.poll(() => line(reader).innerText()).toBe("")
})

test("the name disappears by itself if nothing is sent", async () => {
  const { reader, writer } = await twoInAChat()
  await composer(writer).pressSequentially("H")
  await expect.poll(() => line(reader).innerText()).toBe("Grace Hopper is typing…")
  await expect.poll(() => line(reader).innerText()).toBe("")
  await write(reader, "You go first.")
  await expect.poll(() => shown(writer)).toEqual(["You go first."])
})

test("several people are counted, and the dots do not move for people who want less motion", async () => {
  const { ada, grace, chatId, reader } = await twoInAChat()
  await reader.emulateMedia({ reducedMotion: "reduce" })
  const others = [grace]
  for (const name of ["Alan Turing", "Mary Jackson"]) others.push(await newMember(ada, name))
  await ada.call("POST", `/api/chat/${chatId}/members`, { members: others.slice(1).map(person => person.id) })
  const type = (count: number) =>
    Promise.all(others.slice(0, count).map(person => person.call("POST", `/api/chat/${chatId}/typing`)))
  await type(2)
  await expect
    .poll(() => line(reader).innerText())
    .toMatch(/^(?=.*Grace Hopper)(?=.*Alan Turing).+ and .+ are typing…$/u)
  await expect
    .poll(async () => {
      await type(3)
      return line(reader).innerText()
    })
    .toBe("Several people are typing…")
  const animations = await line(reader).evaluate(element => element.getAnimations({ subtree: true }).length)
  expect(animations).toBe(0)
})
