/** `make screenshots`: writes pictures of the main states, in both themes, for a phone and a desktop. */

import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { DESKTOP, launch, newPage, PHONE, pageErrors } from "./chromium.ts"
import { scenes } from "./scenes.ts"
import { Server } from "./server.ts"

const folder = process.argv[2] ?? "screenshots"
const only = process.argv[3] ?? ""

/** A time zone in which it is noon, so that the messages of two days have plausible times. */
const hours = ((12 - new Date().getUTCHours() + 36) % 24) - 12
const timezoneId = `Etc/GMT${hours < 0 ? "+" : "-"}${Math.abs(hours)}`

const server = await Server.make({ name: "Fechatter", signup: "open" })
const browser = await launch()
try {
  await mkdir(folder, { recursive: true })
  for (const [name, scene] of Object.entries(scenes)) {
    if (!name.includes(only)) continue
    for (const [device, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
      const isMobile = device === "phone"
      const page = await newPage(browser, server.url, { viewport, isMobile, timezoneId })
      await scene(page, server)
      await page.mouse.move(0, 0)
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme })
        await page.screenshot({
          path: join(folder, `${name}-${device}-${colorScheme}.png`),
          fullPage: name === "gallery",
          // Without this, colours are in the middle of a transition.
          animations: "disabled",
        })
      }
      for (const error of pageErrors.get(page.context()) ?? []) console.error(`${name}: ${error}`)
      await page.context().close()
    }
  }
} finally {
  await browser.close()
  await server.stop()
}
