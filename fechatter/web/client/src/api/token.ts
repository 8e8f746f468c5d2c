/**
 * The access token, which only this module stores. The refresh token is a cookie that no script can read. The browser's
 * storage contains only the workspace and the id of the person.
 */

import { Problem, request } from "@/api/http"
import type { User, Workspace } from "@/api/nouns"
import { inTurn } from "@/platform/locks"
import { browserStorage, isObject, tabStorage } from "@/platform/storage"

const KEY = "fechatter.workspace"
const BROWSER = { "X-Requested-With": "fechatter" }
const LOCK = "fechatter-refresh"

export interface Session {
  access_token: string
  expires_in: number
  user: User
  workspace: Workspace
}

/** The session has ended; only signing in again helps. */
export class SignedOut extends Error {}

let accessToken: string | null = null
let renewal: Promise<string> | null = null

/** Returns the token for a request. Throws SignedOut, Problem or Unreachable. */
export async function token(): Promise<string> {
  return accessToken ?? renew()
}

/** Forget a token that was refused, unless a newer one has replaced it. */
export function dropToken(old: string): void {
  if (accessToken === old) accessToken = null
}

/** Use the session from the response to a sign-in or sign-up. */
export function setSession(session: Session): void {
  accessToken = session.access_token
  const text = JSON.stringify({ slug: session.workspace.slug, name: nameOf(session) } satisfies Remembered)
  tabStorage.set(KEY, text)
  browserStorage.set(KEY, text)
}

/** Forget this tab's person. If another person used this browser later, that person stays remembered. */
export function forgetSession(): void {
  accessToken = null
  const mine = tabStorage.get(KEY) ?? browserStorage.get(KEY)
  tabStorage.delete(KEY)
  if (browserStorage.get(KEY) === mine) browserStorage.delete(KEY)
}

function nameOf({ workspace, user }: Session): string {
  return `fechatter-${workspace.id}-${user.id}`
}

/** The person of this tab: the workspace, and the prefix of everything that the browser stores for the person. */
export interface Remembered {
  slug: string
  name: string
}

/** Returns this tab's person, or else the person who used this browser last, or else null. */
export function remembered(): Remembered | null {
  return tabStorage.getJson(KEY, isRemembered) ?? browserStorage.getJson(KEY, isRemembered)
}

function isRemembered(found: unknown): found is Remembered {
  return isObject(found) && typeof found["slug"] === "string" && typeof found["name"] === "string"
}

/** The requests whose response contains a session. */
type SessionPath = "/api/signin" | "/api/signup" | "/api/password-resets"

/** Sign in or up. The refresh token arrives as a cookie. Throws Problem or Unreachable. */
export async function requestSession(path: SessionPath, body: unknown): Promise<Session> {
  const session = (await request<Session>("POST", path, { body, headers: BROWSER })).body
  setSession(session)
  return session
}

/** End the session on the server. Throws SignedOut, Problem or Unreachable. */
export async function endSession(): Promise<void> {
  const headers = { ...BROWSER, Authorization: `Bearer ${await token()}` }
  await request("POST", "/api/logout", { headers })
  forgetSession()
}

/** One renewal at a time serves all waiting requests. The tabs of a browser take turns. */
function renew(): Promise<string> {
  renewal ??= inTurn(LOCK, ask).finally(() => {
    renewal = null
  })
  return renewal
}

async function ask(): Promise<string> {
  const who = remembered()
  if (who === null) throw new SignedOut()
  try {
    const session = (
      await request<Session>("POST", "/api/refresh", { body: { workspace: who.slug }, headers: BROWSER })
    ).body
    // Another person signed in to this workspace in another tab. This tab must not continue as that person.
    if (nameOf(session) !== who.name) throw new SignedOut()
    setSession(session)
    return session.access_token
  } catch (error) {
    if (!(error instanceof SignedOut) && (!(error instanceof Problem) || error.isTemporary)) throw error
    forgetSession()
    throw new SignedOut()
  }
}
