import type { Page } from "playwright-core"
import type { Server } from "./server.ts"
import { Ada } from "./people.ts"

/** The states that are looked at: each leaves a page as it is to be seen. */
export const scenes: Record<string, (page: Page, server: Server) => Promise<void>> = {
  async gallery(page) {
    await page.goto("/gallery")
    await page.getByRole("heading", { name: "Components" }).waitFor()
  },

  async setup(page, server) {
    await page.goto(`/setup#token=${server.setupToken}`)
    await page.getByRole("button", { name: "Create the workspace" }).waitFor()
  },

  async signin(page, server) {
    await Ada.on(server)
    await page.goto("/signin")
    await page.getByLabel("E-mail").fill("ada@example.org")
    await page.getByLabel("Password", { exact: true }).fill("not the right one")
    await page.getByRole("button", { name: "Sign in" }).click()
    await page.getByRole("alert").waitFor()
  },

  async home(page, server) {
    await (await Ada.on(server)).signIn(page)
  },

  async chat(page, server) {
    const ada = await Ada.on(server)
    await ada.channel("launch", [
      "Good morning!",
      "The build is **green**.\n\n```python\nprint('hello')\n```",
      "你好 👋",
    ])
    await ada.signIn(page)
    await page.getByRole("link", { name: "launch" }).first().click()
    await page.getByText("Good morning!").first().waitFor()
  },

  async profile(page, server) {
    await (await Ada.on(server)).signIn(page)
    await page.goto("/settings/profile")
    await page.getByLabel("Handle").waitFor()
  },

  async account(page, server) {
    await (await Ada.on(server)).signIn(page)
    await page.goto("/settings/account")
    await page.getByText("This device").waitFor()
  },

  async appearance(page, server) {
    await (await Ada.on(server)).signIn(page)
    await page.goto("/settings/appearance")
    await page.getByText("Texts, dates and numbers").waitFor()
  },
}
