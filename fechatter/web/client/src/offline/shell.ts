/**
 * The client's own files, which the service worker stores. The client starts without a network, and a newer version is
 * used when the person wants it.
 *
 * Browsers have service workers only on https and on localhost. Elsewhere these functions do nothing.
 */

import { ref } from "vue"

const WORKER = "/service-worker.js"

/** Whether a newer client is loaded and waits for the person. */
export const isUpdateReady = ref(false)

interface Policies {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(path: string): string }
}

let registration: ServiceWorkerRegistration | null = null
let isSwitching = false

/** Store the client in this browser. If the browser refuses, only the start without a network is missing. */
export async function keepShell(): Promise<void> {
  if (!import.meta.env.PROD) return
  try {
    if (navigator.serviceWorker === undefined) return
    registration ??= follow(await navigator.serviceWorker.register(trusted()))
    registration.active?.postMessage("fill")
  } catch (error) {
    console.warn("The client is not stored for a start without a network:", error)
  }
}

/** Ask the server for a newer client. */
export async function lookForUpdate(): Promise<void> {
  await registration?.update().catch(() => undefined) // The next call finds it.
}

/** Switch to the newer client and reload this page. */
export function takeUpdate(): void {
  isSwitching = true
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

/** Delete the stored client. */
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
    console.warn("The stored client could not be deleted:", error)
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

/** If another tab switched to the newer client, this tab only offers a reload, because it may contain unsent text. */
function changed(): void {
  if (isSwitching) location.reload()
  else isUpdateReady.value = true
}

let policy: ReturnType<Policies["createPolicy"]> | undefined

/** Returns the only script address that the content security policy allows as a worker. */
function trusted(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: Policies }
  policy ??= trustedTypes?.createPolicy("fechatter", { createScriptURL: () => WORKER })
  return policy?.createScriptURL("") ?? WORKER
}
