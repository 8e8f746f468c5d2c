import { fileURLToPath } from "node:url"
import vue from "@vitejs/plugin-vue"
import { defineConfig } from "vitest/config"
import { budget } from "./build/budget.ts"
import { compress } from "./build/compress.ts"
import { icons } from "./build/icons.ts"
import { worker } from "./build/worker.ts"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const server = process.env["FECHATTER_URL"] ?? "http://127.0.0.1:6688"

export default defineConfig({
  base: "/static/",
  plugins: [
    vue({ template: { transformAssetUrls: false } }),
    budget({ firstLoadBytes: 150_000, withModules: ["/shell/Shell.vue", "/chats/ChatPage.vue"] }),
    icons([
      { from: "icon.svg", sizes: { "icon-192.png": 192, "icon-512.png": 512 } },
      { from: "icon-full.svg", sizes: { "icon-180.png": 180, "icon-maskable-512.png": 512 } },
    ]),
    worker({ mostBytes: 200_000 }),
    compress(),
  ],
  resolve: {
    alias: {
      "@": here("src"),
      // Messages have no entities, and the table of all of HTML's would be a tenth of the first load.
      entities: here("src/text/entities.ts"),
    },
  },
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
  },
  build: {
    outDir: here("../dist"),
    emptyOutDir: true,
    target: "es2022",
    // Newer than the scripts: light-dark(), which says a colour of both themes in one place.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // A data: address would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: here("index.html"), "service-worker": here("src/offline/worker.ts") },
      output: {
        // A worker answers for what lies below its own address, so this one stands at the root.
        entryFileNames: ({ name }) => (name === "service-worker" ? "service-worker.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(["/api", "/events", "/health", "/openapi.json"].map(path => [path, { target: server }])),
  },
  test: {
    restoreMocks: true,
    // One page for all: each test leaves nothing behind, and a page a file costs more than the tests.
    isolate: false,
    // Beside other work a property of many runs takes its time.
    testTimeout: 240_000,
    projects: [
      { extends: true, test: { name: "unit", environment: "happy-dom", include: ["src/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "browser",
          environment: "node",
          include: ["browser/**/*.test.ts"],
          globalSetup: "browser/setup.ts",
          // One server and one browser for all of them.
          fileParallelism: false,
          testTimeout: 240_000,
          expect: { poll: { timeout: 60_000 } },
          hookTimeout: 240_000,
        },
      },
    ],
  },
})
