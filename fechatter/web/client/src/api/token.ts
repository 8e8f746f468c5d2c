/**
 * The access token: in this module's memory alone. The refresh token is a cookie that no script can read; what the
 * browser's storage keeps is only which workspace this was.
 */

import { Problem, request } from "@/api/http"
import type { User, Workspace } from "@/api/nouns"
import { inTurn } from "@/platform/locks"
import { isObject, browserStorage, tabStorage } from "@/platform/storage"

const KEY = "fechatter.workspace"
const BROWSER = { "X-Requested-With": "fechatter" }
const LOCK = "fechatter-refresh"

export interface Session {
  access_token: string
  expires_in: number
  user: User
  workspace: Workspace
}

/** The session ended: only signing in again helps. */
export class SignedOut extends Error {}

let accessToken: string | null = null
let renewal: Promise<string> | null = null

/** The token for a request. Throws SignedOut, Problem or Unreachable. */
export async function token(): Promise<string> {
  return accessToken ?? renew()
}

/** Forget the token that was refused, unless a newer one is there already. */
export function refused(old: string): void {
  if (accessToken === old) accessToken = null
}

/** Take the session that signing in or up gave. */
export function begin(session: Session): void {
  accessToken = session.access_token
  const text = JSON.stringify({ slug: session.workspace.slug, name: nameOf(session) } satisfies Remembered)
  tabStorage.set(KEY, text)
  browserStorage.set(KEY, text)
}

/** Forget this tab's person; another one who used this browser later stays remembered. */
export function forget(): void {
  accessToken = null
  const mine = tabStorage.get(KEY) ?? browserStorage.get(KEY)
  tabStorage.delete(KEY)
  if (browserStorage.get(KEY) === mine) browserStorage.delete(KEY)
}

function nameOf({ workspace, user }: Session): string {
  return `fechatter-${workspace.id}-${user.id}`
}

/** Who this tab is for: which workspace, and the name of what the browser keeps for that person. */
export interface Remembered {
  slug: string
  name: string
}

/** This tab's person, else the one who used this browser last, else null. */
export function remembered(): Remembered | null {
  return tabStorage.getJson(KEY, isRemembered) ?? browserStorage.getJson(KEY, isRemembered)
}

function isRemembered(found: unknown): found is Remembered {
  return isObject(found) && typeof found["slug"] === "string" && typeof found["name"] === "string"
}

/** The requests that are answered with a session. */
type SessionPath = "/api/signin" | "/api/signup" | "/api/password-resets"

/** Sign in or up as a browser does: the refresh token comes as a cookie. Throws Problem or Unreachable. */
export async function obtain(path: SessionPath, body: unknown): Promise<Session> {
  const session = (await request<Session>("POST", path, { body, headers: BROWSER })).body
  begin(session)
  return session
}

/** End the session at the server. Throws SignedOut, Problem or Unreachable. */
export async function end(): Promise<void> {
  const headers = { ...BROWSER, Authorization: `Bearer ${await token()}` }
  await request("POST", "/api/logout", { headers })
  forget()
}

/** One renewal at a time, however many requests wait for it; the tabs of a browser take turns. */
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
    // Somebody else signed in to this workspace in another tab: this one must not go on under their name.
    if (nameOf(session) !== who.name) throw new SignedOut()
    begin(session)
    return session.access_token
  } catch (error) {
    if (!(error instanceof SignedOut) && (!(error instanceof Problem) || error.isTemporary)) throw error
    forget()
    throw new SignedOut()
  }
}
