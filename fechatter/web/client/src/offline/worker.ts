/**
 * The service worker: stores the client's own page and files, so that the client starts at once and without a network.
 *
 * It handles no other requests and never stores responses of the API.
 */

declare const self: ServiceWorkerGlobalScope
/** The build replaces both: the files that a start needs, and their digest. */
declare const SHELL_FILES: string[]
declare const SHELL_VERSION: string

const PREFIX = "fechatter-shell-"
const NAME = PREFIX + SHELL_VERSION
const PAGE = "/"
const ADDRESSES = /^\/(?:(?:chats|people|settings)(?:\/.*)?|setup|join|signin|signup|gallery)?$/u
const STORED_WHEN_LOADED = "/static/assets/"

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

/** Load the files that are not stored: all at first, none later, unless the browser or a sign-out deleted them. */
async function fill(): Promise<void> {
  const cache = await caches.open(NAME)
  const stored = new Set((await cache.keys()).map(request => new URL(request.url).pathname))
  const missing = [PAGE, ...SHELL_FILES].filter(path => !stored.has(path))
  // A file without a digest in its name must not come from the browser's own cache.
  await cache.addAll(missing.map(path => new Request(path, { cache: "no-cache" })))
}

/** Tabs of the previous version use its files until they are reloaded, so these files stay until then. */
async function dropOld(): Promise<void> {
  const others = (await caches.keys()).filter(name => name.startsWith(PREFIX) && name !== NAME)
  await Promise.all(others.slice(0, -1).map(name => caches.delete(name)))
}

async function page(request: Request): Promise<Response> {
  return (await stored(PAGE)) ?? fetch(request)
}

async function file(request: Request): Promise<Response> {
  const found = (await stored(request)) ?? (await caches.match(request, { ignoreVary: true }))
  if (found !== undefined) return found
  const response = await fetch(request)
  if (response.ok && new URL(request.url).pathname.startsWith(STORED_WHEN_LOADED))
    await store(request, response.clone())
  return response
}

function stored(request: Request | string): Promise<Response | undefined> {
  return caches.match(request, { cacheName: NAME, ignoreVary: true })
}

/** A sign-out deletes the cache, and it must not appear again after that. */
async function store(request: Request, response: Response): Promise<void> {
  if (await caches.has(NAME)) await (await caches.open(NAME)).put(request, response)
}

export {}
