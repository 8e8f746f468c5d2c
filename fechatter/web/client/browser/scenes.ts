import type { Page } from "playwright-core"
import { openChat } from "./chat.ts"
import { DESKTOP } from "./chromium.ts"
import type { Server } from "./server.ts"
import { teamOn } from "./team.ts"

type Scene = (page: Page, server: Server) => Promise<void>

/** Ada's page at an address, after the workspace is loaded. */
const asAda = (path: string, then: (page: Page) => Promise<void>): Scene => {
  return async (page, server) => {
    await (await teamOn(server)).ada.enter(page, path)
    await page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })
    await then(page)
  }
}

const isWide = (page: Page) => page.viewportSize()!.width >= DESKTOP.width

/** The states for screenshots. Each function brings a page into its state. */
export const scenes: Record<string, Scene> = {
  async gallery(page) {
    await page.goto("/gallery")
    await page.getByRole("heading", { name: "Components" }).waitFor()
  },

  async setup(page, server) {
    await page.goto(`/setup#token=${server.setupToken}`)
    await page.getByRole("button", { name: "Create workspace" }).waitFor()
  },

  async signin(page, server) {
    const { email } = (await teamOn(server)).ada
    await page.goto("/signin")
    await page.getByLabel("E-mail").fill(email)
    await page.getByLabel("Password", { exact: true }).fill("not the right one")
    await page.getByRole("button", { name: "Sign in" }).click()
    await page.getByRole("alert").waitFor()
  },

  home: asAda("/", page => page.getByRole("link", { name: "launch" }).waitFor()),

  /** A chat; on a desktop with its details beside it. */
  async chat(page, server) {
    const { ada, launch } = await teamOn(server)
    await ada.enter(page)
    await openChat(page, launch)
    await page.locator(".message pre span").first().waitFor({ state: "attached" })
    if (!isWide(page)) return
    await page.getByRole("button", { name: "Details", exact: true }).click()
    await page.locator("aside.details .member").first().waitFor()
  },

  /** A direct chat with a person who has a status, has seen the last message, and types. */
  async direct(page, server) {
    const { ada, people } = await teamOn(server)
    const { grace } = people
    const { id } = await ada.call<{ id: number }>("POST", "/api/chat", { chat_type: "single", members: [grace.id] })
    await grace.call("PUT", "/api/users/me/status", { emoji: "🎧", text: "Debugging" })
    const sent = { content: "The slides are in the folder. Could you look at the last one?" }
    const { number } = await ada.call<{ number: number }>("POST", `/api/chat/${id}/messages`, sent)
    await ada.enter(page)
    await openChat(page, id)
    await page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })
    await grace.call("PUT", `/api/chat/${id}/read`, { number })
    await page.locator(".seen").waitFor()
    if (isWide(page)) {
      await page.getByRole("button", { name: "Details", exact: true }).click()
      await page.locator("aside.details .status").waitFor()
    }
    await grace.call("POST", `/api/chat/${id}/typing`)
    await page.locator(".typing .dots").waitFor()
  },

  async status(page, server) {
    await (await teamOn(server)).ada.enter(page)
    await page.locator(".foot .me").click()
    await page.getByRole("menuitem", { name: /status/u }).click()
    await page.getByRole("dialog").waitFor()
  },

  privacy: asAda("/settings/privacy", page => page.getByRole("switch").first().waitFor()),

  async details(page, server) {
    const { ada, launch } = await teamOn(server)
    await ada.enter(page)
    await openChat(page, launch)
    await page.getByRole("button", { name: "Details of launch" }).click()
    await page.locator("aside.details .member").first().waitFor()
  },

  people: asAda("/people", page => page.getByText("@grace").first().waitFor()),

  switcher: asAda("/", async page => {
    await page.keyboard.press("Control+k")
    await page.getByRole("dialog").getByRole("combobox").fill("a")
    await page.getByRole("option").first().waitFor()
  }),

  profile: asAda("/settings/profile", page => page.getByLabel("Handle").waitFor()),
  account: asAda("/settings/account", page => page.getByText("This device").first().waitFor()),
  appearance: asAda("/settings/appearance", page => page.getByLabel("Language").waitFor()),
}
