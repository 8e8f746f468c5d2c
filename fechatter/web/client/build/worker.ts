import { createHash } from "node:crypto"
import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Plugin, ResolvedConfig } from "vite"

const WORKER = "service-worker.js"
const STORED = /\.(?:js|css|svg|webmanifest)$/

/** Writes the list of files that a start needs into the service worker. Larger files are stored on first use. */
export function worker({ maxBytes }: { maxBytes: number }): Plugin {
  let config: ResolvedConfig
  return {
    name: "worker",
    apply: "build",
    configResolved(resolved) {
      config = resolved
    },
    async writeBundle() {
      const folder = config.build.outDir
      const names = (await readdir(folder, { recursive: true })).sort()
      const digest = createHash("sha256").update(await readFile(join(folder, "index.html")))
      const stored: string[] = []
      for (const name of names.filter(one => STORED.test(one) && one !== WORKER)) {
        if ((await stat(join(folder, name))).size > maxBytes) continue
        digest.update(name).update(await readFile(join(folder, name)))
        stored.push(config.base + name)
      }
      const script = await readFile(join(folder, WORKER), "utf8")
      const written = script
        .replaceAll("SHELL_FILES", JSON.stringify(stored))
        .replaceAll("SHELL_VERSION", JSON.stringify(digest.digest("hex").slice(0, 16)))
      await writeFile(join(folder, WORKER), written)
    },
  }
}
