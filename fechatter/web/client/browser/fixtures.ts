import axe from "axe-core"
import { chromium, type Browser, type Page } from "playwright-core"
import { expect, inject, onTestFinished } from "vitest"
import { newPage, pageErrors } from "./chromium.ts"
import { Person } from "./people.ts"

/** The server that all tests share. A test that stops or kills a server creates its own with `Server.make`. */
export const server = { url: inject("serverUrl") }

let connected: Promise<Browser> | undefined
let made = 0

/** Opens a page with a new profile. Any error in it fails the test. */
export async function openPage(options: Parameters<typeof newPage>[2] = {}, url = server.url): Promise<Page> {
  connected ??= chromium.connect(inject("browserUrl"))
  const page = await newPage(await connected, url, options)
  onTestFinished(async ({ task }) => {
    const found = pageErrors.get(page.context())
    await page.context().close()
    if (task.result?.state === "pass") expect(found).toEqual([])
  })
  return page
}

/** Creates the owner of a new workspace. */
export function newOwner(fullname = "Ada Lovelace"): Promise<Person> {
  made += 1
  return Person.owner(server, `owner${made}@example.org`, fullname, `Workspace ${made} of ${process.pid}`)
}

/** Creates a new member of a workspace. */
export function newMember(owner: Person, fullname: string, role = "member"): Promise<Person> {
  made += 1
  return owner.invite(`member${made}@example.org`, fullname, role)
}

/** Fails if the page violates an accessibility rule, or one of the named rules. */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  await page.evaluate(endTransitions)
  await page.evaluate(axe.source)
  const found = await page.evaluate(async only => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(only ? { runOnly: only } : {})
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(node => `${node.target} ${node.failureSummary}`).join("; ")}`,
    )
  }, rules)
  expect(found).toEqual([])
}

/** Ends all transitions, so that colours have their final values. Endless animations continue. */
async function endTransitions(): Promise<void> {
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
  for (const animation of document.getAnimations()) {
    if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish()
  }
}

/** Fails if content is wider than the window or than the part that scrolls. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const wider = await page.evaluate(() => {
    const places = [document.documentElement, ...document.querySelectorAll("main, .scroller")]
    return Math.max(...places.map(place => place.scrollWidth - place.clientWidth))
  })
  expect(wider).toBeLessThanOrEqual(0)
}
