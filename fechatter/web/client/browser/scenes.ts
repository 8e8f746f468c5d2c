import type { Page } from "playwright-core"
import type { Server } from "./server.ts"

/** The states that are looked at: each leaves a page as it is to be seen. */
export const scenes: Record<string, (page: Page, server: Server) => Promise<void>> = {
  async gallery(page) {
    await page.goto("/gallery")
    await page.getByRole("heading", { name: "Components" }).waitFor()
  },
}
