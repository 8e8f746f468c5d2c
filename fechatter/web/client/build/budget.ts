import { gzipSync } from "node:zlib"
import type { Plugin, Rolldown } from "vite"

/** Fails the build when the scripts a first visit loads weigh more than allowed, compressed with gzip. */
export function budget(limits: { firstLoadBytes: number }): Plugin {
  return {
    name: "budget",
    apply: "build",
    generateBundle(_options, bundle) {
      const bytes = firstLoad(bundle)
        .map(chunk => gzipSync(chunk.code, { level: 9 }).length)
        .reduce((sum, size) => sum + size, 0)
      const said = `first load: ${(bytes / 1000).toFixed(1)} kB of compressed scripts, ${limits.firstLoadBytes / 1000} kB allowed`
      if (bytes > limits.firstLoadBytes) this.error(said)
      this.info(said)
    },
  }
}

/** The entries and everything they import statically. */
function firstLoad(bundle: Rolldown.OutputBundle): Rolldown.OutputChunk[] {
  const found = new Map<string, Rolldown.OutputChunk>()
  const visit = (name: string): void => {
    const chunk = bundle[name]
    if (chunk?.type !== "chunk" || found.has(name)) return
    found.set(name, chunk)
    chunk.imports.forEach(visit)
  }
  Object.values(bundle)
    .filter(part => part.type === "chunk" && part.isEntry)
    .forEach(part => visit(part.fileName))
  return [...found.values()]
}
