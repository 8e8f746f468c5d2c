/**
 * The client itself, kept by the service worker: a start without a network, and newer versions when the person wants them.
 *
 * Browsers have service workers on https and on localhost; elsewhere nothing of this happens, quietly.
 */

import { ref } from "vue"

const WORKER = "/service-worker.js"

/** A newer client is loaded and waits to be taken. */
export const isUpdateReady = ref(false)

interface Policies {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(path: string): string }
}

let registration: ServiceWorkerRegistration | null = null
let isTaking = false

/** Keep the client in this browser. A refusal (no room, a private window) costs the offline start alone. */
export async function keepShell(): Promise<void> {
  if (!import.meta.env.PROD) return
  try {
    if (navigator.serviceWorker === undefined) return
    registration ??= follow(await navigator.serviceWorker.register(trusted()))
    registration.active?.postMessage("fill")
  } catch (error) {
    console.warn("The client is not kept for a start without a network:", error)
  }
}

/** Ask whether the server has a newer client. */
export async function lookForUpdate(): Promise<void> {
  await registration?.update().catch(() => undefined) // The next look finds it.
}

/** The person wants the newer client: it takes over, and this page is loaded anew. */
export function takeUpdate(): void {
  isTaking = true
  if (registration?.waiting) registration.waiting.postMessage("take over")
  else location.reload()
}

/** Load the newest client, or the stored one if the server cannot be reached. */
export async function reloadNewest(): Promise<void> {
  // The worker answers only the start page, so a request for another address shows whether the server is reachable.
  const isThere = await fetch("/health/simple", { cache: "no-store" }).then(
    response => response.ok,
    () => false,
  )
  if (isThere) await dropShell()
  location.reload()
}

/** Leave nothing of the client in this browser. */
export async function dropShell(): Promise<void> {
  registration = null
  isUpdateReady.value = false
  try {
    if (navigator.serviceWorker === undefined) return
    const registrations = await navigator.serviceWorker.getRegistrations()
    await Promise.all(registrations.map(one => one.unregister()))
    await Promise.all((await caches.keys()).map(name => caches.delete(name)))
  } catch (error) {
    // If the browser refuses storage, nothing is stored in it.
    console.warn("The kept client could not be dropped:", error)
  }
}

function follow(made: ServiceWorkerRegistration): ServiceWorkerRegistration {
  const look = () => {
    if (made.waiting && navigator.serviceWorker.controller) isUpdateReady.value = true
  }
  made.addEventListener("updatefound", () => made.installing?.addEventListener("statechange", look))
  navigator.serviceWorker.addEventListener("controllerchange", changed)
  look()
  return made
}

/** Another tab took the newer client: this one is told, and keeps what is being written in it. */
function changed(): void {
  if (isTaking) location.reload()
  else isUpdateReady.value = true
}

let policy: ReturnType<Policies["createPolicy"]> | undefined

/** The one script address that the content security policy lets this page run as a worker. */
function trusted(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: Policies }
  policy ??= trustedTypes?.createPolicy("fechatter", { createScriptURL: () => WORKER })
  return policy?.createScriptURL("") ?? WORKER
}
