import { chromium, type Browser, type BrowserContext, type BrowserServer, type Page } from "playwright-core"

const SWITCHES = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-component-update",
  "--disable-sync",
]

export const PHONE = { width: 390, height: 844 }
export const DESKTOP = { width: 1280, height: 800 }

const OPTIONS = { executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: SWITCHES }

export function launch(): Promise<Browser> {
  return chromium.launch(OPTIONS)
}

/** One that many test files connect to. */
export function launchServer(): Promise<BrowserServer> {
  return chromium.launchServer(OPTIONS)
}

/** What Chromium itself reports when a server or the network is gone, which tests do on purpose. */
const UNREACHABLE = /Failed to load resource|error occurred when fetching the script/u

/** What went wrong in a page; a test that ends with any has failed. */
export const troubles = new WeakMap<BrowserContext, string[]>()

/** A page of a browser's own profile; what it complains of is kept in `troubles`. */
export async function newPage(
  browser: Browser,
  baseURL: string,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<Page> {
  const context = await browser.newContext({ baseURL, viewport: DESKTOP, locale: "en-GB", ...options })
  const said: string[] = []
  troubles.set(context, said)
  context.on("weberror", error => said.push(String(error.error())))
  context.on("console", message => {
    if (message.type() === "error" && !UNREACHABLE.test(message.text())) said.push(message.text())
  })
  const page = await context.newPage()
  // How long a busy machine may take to reach a state; no measure of speed.
  page.setDefaultTimeout(60_000)
  return page
}
