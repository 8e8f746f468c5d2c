/** Writes `src/api/schema.ts`, the contract's types; with `--check` it fails where that file is not what it would write. */

import { readFile, writeFile } from "node:fs/promises"
import openapi, { astToString } from "openapi-typescript"

const CONTRACT = new URL("../../../api/contract/openapi.json", import.meta.url)
const TARGET = new URL("../src/api/schema.ts", import.meta.url)
const HEAD = "/** Made from the server's contract by `scripts/web.sh types`; never edited. */\n\n"

const contract = JSON.parse(await readFile(CONTRACT, "utf8")) as Record<string, unknown>
const {
  info,
  openapi: version,
  components,
} = contract as { info: object; openapi: string; components: { schemas: object } }
// The nouns are what the client uses; a type of each address would be five times as much.
const nouns = { openapi: version, info, paths: {}, components: { schemas: components.schemas } }
const text = HEAD + astToString(await openapi(nouns as never))

if (!process.argv.includes("--check")) await writeFile(TARGET, text)
else if ((await readFile(TARGET, "utf8").catch(() => "")) !== text) {
  console.error("src/api/schema.ts is not the contract's: scripts/web.sh types")
  process.exitCode = 1
}
