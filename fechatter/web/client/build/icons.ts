import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { initWasm, Resvg } from "@resvg/resvg-wasm"
import type { Plugin } from "vite"

interface Icon {
  /** The SVG file in `public/`. */
  from: string
  /** The width in pixels, by the name of the PNG file. */
  sizes: Record<string, number>
}

/** Draws the PNG icons that devices need, from the SVG icons. */
export function icons(wanted: Icon[]): Plugin {
  return {
    name: "icons",
    apply: "build",
    async generateBundle() {
      await initWasm(readFile(createRequire(import.meta.url).resolve("@resvg/resvg-wasm/index_bg.wasm")))
      for (const { from, sizes } of wanted) {
        const drawing = await readFile(new URL(`../public/${from}`, import.meta.url), "utf8")
        for (const [fileName, side] of Object.entries(sizes)) {
          const source = new Resvg(drawing, { fitTo: { mode: "width", value: side } }).render().asPng()
          this.emitFile({ type: "asset", fileName, source })
        }
      }
    },
  }
}
