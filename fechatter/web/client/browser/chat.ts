/** Actions in a chat, and the chat's state on the server. */

import type { Page } from "playwright-core"
import type { Person } from "./people.ts"

export const composer = (page: Page) => page.locator(".composer textarea")
export const shown = (page: Page) => page.locator(".message .message-text").allInnerTexts()
export const phase = (page: Page) => page.locator(".connection").first().getAttribute("data-phase")

/** Opens a chat at its end or at a message. */
export async function openChat(page: Page, chatId: number, number?: number): Promise<void> {
  await page.goto(`/chats/${chatId}${number === undefined ? "" : `/${number}`}`)
  await composer(page).waitFor()
}

export async function write(page: Page, text: string): Promise<void> {
  await composer(page).fill(text)
  await composer(page).press("Enter")
}

/** Waits until every message that was written has been sent. */
export async function settled(page: Page, timeout = 60_000): Promise<void> {
  await page.waitForFunction(() => document.querySelector(".waiting") === null, null, { timeout })
}

/** Returns the contents of a chat's newest messages, oldest first. */
export async function stored(reader: Person, chatId: number): Promise<string[]> {
  const page = await reader.call<{ items: { content: string }[] }>("GET", `/api/chat/${chatId}/messages?limit=100`)
  return page.items.map(message => message.content).reverse()
}

/** Posts many messages in a few requests, as a bridge does. */
export async function fillChat(writer: Person, chatId: number, contents: string[]): Promise<void> {
  for (let at = 0; at < contents.length; at += 100) {
    const messages = contents.slice(at, at + 100).map(content => ({ content }))
    await writer.call("POST", `/api/chat/${chatId}/messages/batch`, { messages })
  }
}

export interface Wanted {
  chat_type?: "single" | "group" | "private_channel" | "public_channel"
  name?: string
  members?: Person[]
}

/** Creates a chat through the API; returns its id. */
export async function newChat(owner: Person, { members = [], ...wanted }: Wanted = {}): Promise<number> {
  const chat_type = wanted.chat_type ?? "private_channel"
  const named = chat_type.endsWith("channel") ? { name: "team" } : {}
  const body = { ...named, ...wanted, chat_type, members: members.map(person => person.id) }
  return (await owner.call<{ id: number }>("POST", "/api/chat", body)).id
}
