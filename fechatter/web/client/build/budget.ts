import { gzipSync } from "node:zlib"
import type { Plugin, Rolldown } from "vite"

interface Limits {
  firstLoadBytes: number
  /** Modules that are loaded later, but before anything is shown. */
  withModules: string[]
}

/** Fails the build if the scripts of a first visit, compressed with gzip, are larger than allowed. */
export function budget(limits: Limits): Plugin {
  return {
    name: "budget",
    apply: "build",
    generateBundle(_options, bundle) {
      const bytes = firstLoad(bundle, limits.withModules)
        .map(chunk => gzipSync(chunk.code, { level: 9 }).length)
        .reduce((sum, size) => sum + size, 0)
      const [loaded, allowed] = [bytes, limits.firstLoadBytes].map(size => `${(size / 1000).toFixed(1)} kB`)
      const report = `first load: ${loaded} of compressed scripts, ${allowed} allowed`
      if (bytes > limits.firstLoadBytes) this.error(report)
      this.info(report)
    },
  }
}

/** Returns the entries, the named modules, and everything that these import statically. */
function firstLoad(bundle: Rolldown.OutputBundle, modules: string[]): Rolldown.OutputChunk[] {
  const found = new Map<string, Rolldown.OutputChunk>()
  const visit = (name: string): void => {
    const chunk = bundle[name]
    if (chunk?.type !== "chunk" || found.has(name)) return
    found.set(name, chunk)
    chunk.imports.forEach(visit)
  }
  const chunks = Object.values(bundle).filter(part => part.type === "chunk")
  const isNamed = (chunk: Rolldown.OutputChunk) => modules.some(name => chunk.facadeModuleId?.endsWith(name))
  const missing = modules.filter(name => !chunks.some(chunk => chunk.facadeModuleId?.endsWith(name)))
  if (missing.length > 0) throw new Error(`the budget finds no chunk of ${missing.join(", ")}`)
  chunks.filter(chunk => chunk.isEntry || isNamed(chunk)).forEach(chunk => visit(chunk.fileName))
  return [...found.values()]
}
