/** Checks the layers of the client. The table in README.md lists the folders from top to bottom. */

import { readdirSync, readFileSync } from "node:fs"

const readme = readFileSync(new URL("README.md", import.meta.url), "utf8")
const layers = [...readme.matchAll(/^\| `([a-z0-9]+)\/`/gmu)].map(row => row[1])
const folders = readdirSync(new URL("src", import.meta.url), { withFileTypes: true }).filter(one => one.isDirectory())
const unlisted = folders.filter(({ name }) => !layers.includes(name)).map(({ name }) => name)
if (unlisted.length > 0) throw new Error(`README.md does not list these folders: ${unlisted.join(", ")}`)

const TESTS = "\\.test\\.ts$|^src/testing/"

const downwards = layers.slice(1).map((name, above) => ({
  name: `${name} imports from a higher layer`,
  severity: "error",
  from: { path: `^src/${name}/`, pathNot: TESTS },
  to: { path: `^src/(?:${layers.slice(0, above + 1).join("|")})/` },
}))

export default {
  forbidden: [
    ...downwards,
    { name: "cycle between files", severity: "error", from: {}, to: { circular: true } },
    {
      name: "the composition root is imported",
      severity: "error",
      from: { path: "^src/.+/", pathNot: TESTS },
      to: { path: "^src/[^/]+$" },
    },
    {
      name: "a view calls the API instead of a store",
      severity: "error",
      from: { path: "^src/(?:chats|messages|people|shell|navigation|components)/", pathNot: TESTS },
      to: { path: "^src/api/(?:call|http)\\.ts$", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "pure code imports Vue or Pinia",
      severity: "error",
      from: { path: "^src/(?:state|text)/", pathNot: TESTS },
      to: { path: "node_modules/(?:vue|pinia)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "code of the client imports a model for tests",
      severity: "error",
      from: { path: "^src/", pathNot: TESTS },
      to: { path: "^src/testing/" },
    },
    { name: "import of a file that does not exist", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "module", "default"] },
    cache: { folder: "node_modules/.cache/dependency-cruiser", strategy: "content" },
  },
}
