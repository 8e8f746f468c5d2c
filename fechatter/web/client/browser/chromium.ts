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

/** Starts a browser to which many test files connect. */
export function launchServer(): Promise<BrowserServer> {
  return chromium.launchServer(OPTIONS)
}

/** Chromium's own errors when the server or the network is gone, which some tests cause on purpose. */
const UNREACHABLE = /Failed to load resource|error occurred when fetching the script|WebSocket connection to/u

/** The errors in each page. A test with an error fails. */
export const pageErrors = new WeakMap<BrowserContext, string[]>()

/** Opens a page with a new profile. Its errors are stored in `pageErrors`. */
export async function newPage(
  browser: Browser,
  baseURL: string,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<Page> {
  const context = await browser.newContext({ baseURL, viewport: DESKTOP, locale: "en-GB", ...options })
  const found: string[] = []
  pageErrors.set(context, found)
  context.on("weberror", error => found.push(String(error.error())))
  context.on("console", message => {
    if (message.type() === "error" && !UNREACHABLE.test(message.text())) found.push(message.text())
  })
  const page = await context.newPage()
  // Long enough for a busy machine. The tests wait for states and measure no speed.
  page.setDefaultTimeout(60_000)
  return page
}
