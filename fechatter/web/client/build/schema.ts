/** Writes the types of the contract to `src/api/schema.ts`. With `--check`, fails if the file differs. */

import { readFile, writeFile } from "node:fs/promises"
import openapi, { astToString } from "openapi-typescript"

const CONTRACT = new URL("../../../api/contract/openapi.json", import.meta.url)
const TARGET = new URL("../src/api/schema.ts", import.meta.url)
const HEAD = "/** Generated from the server's contract by `scripts/web.sh types`. Do not edit. */\n\n"

const contract = JSON.parse(await readFile(CONTRACT, "utf8")) as Record<string, unknown>
const {
  info,
  openapi: version,
  components,
} = contract as { info: object; openapi: string; components: { schemas: object } }
// The client uses only the schemas. Types of the addresses would be five times as large.
const nouns = { openapi: version, info, paths: {}, components: { schemas: components.schemas } }
const text = HEAD + astToString(await openapi(nouns as never))

if (!process.argv.includes("--check")) await writeFile(TARGET, text)
else if ((await readFile(TARGET, "utf8").catch(() => "")) !== text) {
  console.error("src/api/schema.ts differs from the contract: run scripts/web.sh types")
  process.exitCode = 1
}
