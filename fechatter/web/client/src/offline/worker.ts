/**
 * The service worker: keeps the client's own pages and files, so that it starts at once and without a network.
 *
 * It answers for nothing else. What the API says passes it by and is never kept here.
 */

declare const self: ServiceWorkerGlobalScope
/** Both written by the build: what a start needs, and a digest of it. */
declare const SHELL_FILES: string[]
declare const SHELL_VERSION: string

const PREFIX = "fechatter-shell-"
const NAME = PREFIX + SHELL_VERSION
const PAGE = "/"
const ADDRESSES = /^\/(?:(?:chats|people|settings)(?:\/.*)?|setup|join|signin|signup|gallery)?$/u
const KEPT_WHEN_LOADED = "/static/assets/"

self.addEventListener("install", event => event.waitUntil(fill()))
self.addEventListener("activate", event => event.waitUntil(dropOld()))

self.addEventListener("message", event => {
  if (event.data === "take over") event.waitUntil(self.skipWaiting())
  if (event.data === "fill") event.waitUntil(fill())
})

self.addEventListener("fetch", event => {
  const { method, mode, url } = event.request
  const { origin, pathname } = new URL(url)
  if (method !== "GET" || origin !== self.location.origin) return
  if (mode === "navigate" && ADDRESSES.test(pathname)) event.respondWith(page(event.request))
  if (mode !== "navigate" && pathname.startsWith("/static/")) event.respondWith(file(event.request))
})

/** Load what is not kept yet: all of it at first, nothing later, unless the browser or a sign-out dropped it. */
async function fill(): Promise<void> {
  const cache = await caches.open(NAME)
  const kept = new Set((await cache.keys()).map(request => new URL(request.url).pathname))
  const missing = [PAGE, ...SHELL_FILES].filter(path => !kept.has(path))
  // What has no digest in its name must not come from the browser's own cache.
  await cache.addAll(missing.map(path => new Request(path, { cache: "no-cache" })))
}

/** Tabs of the version before go on with its files until they are loaded anew, so these stay that long. */
async function dropOld(): Promise<void> {
  const others = (await caches.keys()).filter(name => name.startsWith(PREFIX) && name !== NAME)
  await Promise.all(others.slice(0, -1).map(name => caches.delete(name)))
}

async function page(request: Request): Promise<Response> {
  return (await kept(PAGE)) ?? fetch(request)
}

async function file(request: Request): Promise<Response> {
  const found = (await kept(request)) ?? (await caches.match(request, { ignoreVary: true }))
  if (found !== undefined) return found
  const response = await fetch(request)
  if (response.ok && new URL(request.url).pathname.startsWith(KEPT_WHEN_LOADED)) await keep(request, response.clone())
  return response
}

function kept(request: Request | string): Promise<Response | undefined> {
  return caches.match(request, { cacheName: NAME, ignoreVary: true })
}

/** Not after a sign-out: its cache is gone, and is not to come back. */
async function keep(request: Request, response: Response): Promise<void> {
  if (await caches.has(NAME)) await (await caches.open(NAME)).put(request, response)
}

export {}
