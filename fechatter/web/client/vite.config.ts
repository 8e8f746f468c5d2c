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
    worker({ maxBytes: 200_000 }),
    compress(),
  ],
  resolve: {
    alias: {
      "@": here("src"),
      // Messages have no entities, and the table of HTML entities would be a tenth of the first load.
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
    // Newer than the target of the scripts, because light-dark() defines a colour for both themes in one place.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // The content security policy forbids data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The largest chunk, the list of emoji, is loaded when it is needed. The plugin `budget` limits the first load.
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: { index: here("index.html"), "service-worker": here("src/offline/worker.ts") },
      output: {
        // A service worker controls only the addresses below its own, so it is at the root.
        entryFileNames: ({ name }) => (name === "service-worker" ? "service-worker.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(
      ["/api", "/events", "/ws", "/health", "/openapi.json"].map(path => [
        path,
        { target: server, ws: path === "/ws" },
      ]),
    ),
  },
  test: {
    restoreMocks: true,
    // All tests share one environment, because an environment per file takes longer than the tests.
    isolate: false,
    // On a busy machine, a property test with many runs takes long.
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
          // All tests share one server and one browser.
          fileParallelism: false,
          testTimeout: 240_000,
          expect: { poll: { timeout: 60_000 } },
          hookTimeout: 240_000,
        },
      },
    ],
  },
})
