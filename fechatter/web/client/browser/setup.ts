/** Starts one server and one Chromium for all browser tests. Each test has its own workspace and its own profile. */

import type { TestProject } from "vitest/node"
import { launchServer } from "./chromium.ts"
import { Server } from "./server.ts"

declare module "vitest" {
  interface ProvidedContext {
    serverUrl: string
    browserUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [server, browser] = await Promise.all([Server.make({ name: "Fechatter", signup: "open" }), launchServer()])
  project.provide("serverUrl", server.url)
  project.provide("browserUrl", browser.wsEndpoint())
  return async () => {
    await browser.close()
    await server.stop()
  }
}
