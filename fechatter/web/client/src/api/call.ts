/** Requests with an access token. An expired token is renewed, and the request is sent again. */

import { type ApiResponse, open, Problem, request, type RequestOptions } from "@/api/http"
import { Positions } from "@/api/positions"
import { dropToken, token } from "@/api/token"

/** The positions in the responses since the last full reload. */
export const positions = new Positions()
/** Counts streams and reloads. A response to an earlier request may come from a log that has gone back since. */
let generation = 0

/** Forget the positions, because everything is loaded again. */
export function forgetPositions(): void {
  positions.forget()
  repeatPending()
}

/** Repeat the requests that are still waiting for a response. */
export function repeatPending(): void {
  generation += 1
}

/** Returns the response's body. Throws SignedOut, Problem or Unreachable. */
export async function call<Body>(method: string, path: string, wanted: RequestOptions = {}): Promise<Body> {
  return (await callWhole<Body>(method, path, wanted)).body
}

/** Returns the response with its status and position. Throws as `call`. */
export async function callWhole<Body>(
  method: string,
  path: string,
  wanted: RequestOptions = {},
): Promise<ApiResponse<Body>> {
  const ask = () =>
    withToken(authorization =>
      request<Body>(method, path, { ...wanted, headers: { ...wanted.headers, ...authorization } }),
    )
  const asked = generation
  let response = await ask()
  if (method === "GET" && asked !== generation) response = await ask()
  positions.see(response.cursor)
  return response
}

/** Returns a response that is read in pieces; `signal` ends it. Throws SignedOut, Problem or Unreachable. */
export function openStream(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  return withToken(authorization => open(path, { headers: { ...headers, ...authorization }, signal }))
}

interface Page<Item> {
  items: Item[]
  next: string | null
}

/** Returns the items of all pages of a list, but loads no further page after `max` items. */
export async function allItems<Item>(path: string, max = 1000): Promise<Item[]> {
  const items: Item[] = []
  let next: string | null = null
  do {
    const cursor: string = next === null ? "" : `&cursor=${encodeURIComponent(next)}`
    const page: Page<Item> = await call<Page<Item>>("GET", `${path}${path.includes("?") ? "&" : "?"}limit=100${cursor}`)
    items.push(...page.items)
    next = page.next
  } while (next !== null && items.length < max)
  return items
}

async function withToken<T>(send: (authorization: { Authorization: string }) => Promise<T>): Promise<T> {
  const first = await token()
  try {
    return await send({ Authorization: `Bearer ${first}` })
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error
    dropToken(first)
  }
  return send({ Authorization: `Bearer ${await token()}` })
}
