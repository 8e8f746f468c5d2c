import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { brotliCompress, constants, gzip } from "node:zlib"
import type { Plugin, ResolvedConfig } from "vite"

const COMPRESSIBLE = /\.(html|js|css|svg|json|webmanifest)$/
const SMALLEST_BYTES = 1024

/** Writes a `.br` and a `.gz` file beside every built text file, so that the server compresses nothing itself. */
export function compress(): Plugin {
  let config: ResolvedConfig
  return {
    name: "compress",
    apply: "build",
    configResolved(resolved) {
      config = resolved
    },
    async closeBundle() {
      const folder = config.build.outDir
      const names = await readdir(folder, { recursive: true })
      await Promise.all(names.filter(name => COMPRESSIBLE.test(name)).map(name => compressFile(join(folder, name))))
    },
  }
}

async function compressFile(path: string): Promise<void> {
  if ((await stat(path)).size < SMALLEST_BYTES) return
  const content = await readFile(path)
  await writeFile(
    `${path}.br`,
    await promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  )
  await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }))
}
