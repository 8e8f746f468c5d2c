/**
 * `make web-figures`: measures in Chromium how fast the client is. The first message is measured on a processor that is
 * slowed down four times.
 */

import { writeFile } from "node:fs/promises"
import { loadavg } from "node:os"
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { composer, fillChat, newChat, openChat } from "./chat.ts"
import { launch, newPage } from "./chromium.ts"
import { Person } from "./people.ts"
import { installProbe, installStreamProbe } from "./probe.ts"
import { machine, Server } from "./server.ts"

const SLOWED = 4
const LOADS = 5
const MESSAGES = 30
const SWITCHES = 20
const KEYS = 60
const SHOWN = 400

/** Times in milliseconds, by the name of the measurement. */
type Figures = Record<string, { values: number[]; budget: number }>

class Measuring {
  private readonly browser: Browser
  private readonly server: Server
  private readonly ada: Person

  private constructor(browser: Browser, server: Server, ada: Person) {
    this.browser = browser
    this.server = server
    this.ada = ada
  }

  static async on(browser: Browser, server: Server): Promise<Measuring> {
    return new Measuring(browser, server, await Person.owner(server, "ada@example.org", "Ada Lovelace", "Engines"))
  }

  async all(): Promise<Figures> {
    const [cold, warm] = await this.loads()
    const [first, again] = await this.switches()
    return {
      "a chat's first message, first visit ever, processor slowed 4 times": { values: cold, budget: 1000 },
      "a chat's first message, visited before, processor slowed 4 times": { values: warm, budget: 1000 },
      "a new message, from its bytes to the screen": { values: await this.arrivals(), budget: 50 },
      "switch to a chat not opened before": { values: first, budget: 100 },
      "switch to a chat opened before": { values: again, budget: 100 },
      [`a key to the screen, ${SHOWN} messages shown`]: { values: await this.keys(), budget: 50 },
    }
  }

  /** From the start of the navigation until a message is painted: without stored data, and with it. */
  private async loads(): Promise<[number[], number[]]> {
    const chatId = await this.chat("loads", 200)
    const [cold, warm]: [number[], number[]] = [[], []]
    for (let round = 0; round < LOADS; round += 1) {
      const page = await this.openPage(`/chats/${chatId}`, SLOWED)
      cold.push(await page.evaluate(() => probe.loaded))
      await page.evaluate(async () => navigator.serviceWorker.ready)
      await page.waitForTimeout(1000)
      await page.goto("about:blank")
      await page.goto(`/chats/${chatId}`)
      warm.push(await page.evaluate(() => probe.loaded))
      await page.context().close()
    }
    return [cold, warm]
  }

  /** From the arrival of the bytes until the row is painted. */
  private async arrivals(): Promise<number[]> {
    const grace = await this.ada.invite("grace@example.org", "Grace Hopper")
    const chatId = await this.chat("arrivals", 200, [grace])
    const page = await this.openPage()
    await openChat(page, chatId)
    await page.locator(".message").first().waitFor()
    const values: number[] = []
    for (let round = 0; round < MESSAGES; round += 1) {
      const content = `arrival ${round}: a message of **typical** length, with \`code\``
      await page.evaluate(mark => probe.arrival(mark), `arrival ${round}:`)
      await grace.call("POST", `/api/chat/${chatId}/messages`, { content })
      values.push(await page.evaluate(() => probe.result))
    }
    await page.context().close()
    return values
  }

  /** From the click until a message of the chat is painted: for new chats, and for chats that were open before. */
  private async switches(): Promise<[number[], number[]]> {
    const names = Array.from({ length: SWITCHES }, (_, place) => `channel${place + 10}`)
    for (const name of names) await this.chat(name, 100)
    const page = await this.openPage()
    const round = async () => {
      const values: number[] = []
      for (const name of names) {
        await page.evaluate(mark => probe.click(mark), name)
        await page.getByRole("link", { name }).click()
        values.push(await page.evaluate(() => probe.result))
        await page.waitForTimeout(50)
      }
      return values
    }
    const both: [number[], number[]] = [await round(), await round()]
    await page.context().close()
    return both
  }

  /** From a key until the next frame is painted. */
  private async keys(): Promise<number[]> {
    const chatId = await this.chat("keys", 1000)
    const page = await this.openPage()
    await openChat(page, chatId)
    await page.waitForFunction(most => {
      document.querySelector(".scroller")!.scrollTop = 0
      return document.querySelectorAll(".message").length >= most
    }, SHOWN)
    await composer(page).focus()
    await page.waitForTimeout(1000)
    await page.evaluate(() => (probe.keys.length = 0))
    await page.keyboard.type("the quick brown fox jumps over the lazy dog and over again ".slice(0, KEYS), {
      delay: 80,
    })
    await page.waitForTimeout(500)
    const values = await page.evaluate(() => probe.keys)
    await page.context().close()
    return values
  }

  private async chat(name: string, count: number, members: Person[] = []): Promise<number> {
    const chatId = await newChat(this.ada, { name, members })
    const text = (place: number) => `${name} ${place}: a message of **typical** length, as most of them are`
    await fillChat(
      this.ada,
      chatId,
      Array.from({ length: count }, (_, place) => text(place)),
    )
    return chatId
  }

  /** Opens Ada's page with a new profile. */
  private async openPage(path = "/", slowed = 1): Promise<Page> {
    const page = await newPage(this.browser, this.server.url)
    const inside = await page.context().newCDPSession(page)
    await inside.send("Emulation.setCPUThrottlingRate", { rate: slowed })
    await page.addInitScript(installStreamProbe)
    await page.addInitScript(installProbe)
    await this.ada.enter(page, path)
    await page.locator(".connection[data-phase=live]").waitFor({ state: "attached" })
    return page
  }
}

function table(figures: Figures): string {
  const lines = Object.entries(figures).map(([name, { values, budget }]) => {
    const sorted = values.toSorted((one, other) => one - other)
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
    const cells = [at(0.5), at(0.95), sorted.at(-1)!].map(value => value.toFixed(1))
    const holds = at(0.95) <= budget ? "holds" : at(0.5) <= budget ? "half of them hold" : "does not hold"
    return `| ${[name, values.length, ...cells, budget, holds].join(" | ")} |`
  })
  return ["| ms | n | p50 | p95 | most | budget | |", "|---|---|---|---|---|---|---|", ...lines].join("\n")
}

const folder = process.argv[2] ?? "."
const busyBefore = loadavg()[0]!.toFixed(1)
const server = await Server.make({ signup: "open" })
const browser = await launch()
try {
  const where = [
    machine(),
    `Chromium ${browser.version()} without a GPU`,
    `load average before ${busyBefore}`,
    "server and browser share the machine",
    "loopback",
  ].join("; ")
  const figures = await Measuring.on(browser, server).then(measuring => measuring.all())
  const today = new Date().toISOString().slice(0, 10)
  const text = `# The web client, ${today}\n\n${where}\n\n${table(figures)}\n`
  await writeFile(join(folder, `${today}-web.md`), text)
  console.log(text)
} finally {
  await browser.close()
  await server.stop()
}
