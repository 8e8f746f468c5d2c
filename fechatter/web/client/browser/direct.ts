/** Two people in their direct chat, each on a page. */

import type { Page } from "playwright-core"
import { newChat, openChat } from "./chat.ts"
import { newMember, newOwner, openPage } from "./fixtures.ts"
import type { Person } from "./people.ts"

export async function twoInDirectChat() {
  const ada = await newOwner()
  const grace = await newMember(ada, "Grace Hopper")
  const chatId = await newChat(ada, { chat_type: "single", members: [grace] })
  const pages = { ada: await openPage(), grace: await openPage() }
  await enter(ada, pages.ada, chatId)
  await enter(grace, pages.grace, chatId)
  return { ada, grace, chatId, pages }
}

/** Opens a chat, and waits until its page is live. */
export async function enter(person: Person, page: Page, chatId: number): Promise<void> {
  await person.enter(page)
  await openChat(page, chatId)
  await page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })
}
