/**
 * Who is signed in. The access token lives in this module's memory alone; the refresh token is a cookie that no script
 * can read. What is kept in the browser's storage is only which workspace this was.
 */

import { Problem, request } from "./http.js";

const KEY = "fechatter.workspace";
const BROWSER = { "X-Requested-With": "fechatter" };

let accessToken = null;
let renewal = null;

/** The session ended: only signing in again helps. */
export class SignedOut extends Error {}

export async function signUp(body) {
  begin((await request("POST", "/api/signup", { body, headers: BROWSER })).body);
}

export async function signIn(body) {
  begin((await request("POST", "/api/signin", { body, headers: BROWSER })).body);
}

/** The token for a request. Throws SignedOut, Problem or Unreachable. */
export async function token() {
  return accessToken ?? renew();
}

/** Forget the token that was refused, unless a newer one is there already. */
export function refused(oldToken) {
  if (accessToken === oldToken) accessToken = null;
}

export async function signOut() {
  const headers = { ...BROWSER, Authorization: `Bearer ${await token()}` };
  await request("POST", "/api/logout", { headers });
  end();
}

/** One renewal at a time, however many requests wait for it. */
function renew() {
  renewal ??= askForToken().finally(() => {
    renewal = null;
  });
  return renewal;
}

async function askForToken() {
  const workspace = remembered();
  if (workspace === null) throw new SignedOut();
  try {
    begin((await request("POST", "/api/refresh", { body: { workspace: workspace.slug }, headers: BROWSER })).body);
  } catch (error) {
    if (!(error instanceof Problem) || error.isTemporary) throw error;
    end();
    throw new SignedOut();
  }
  return accessToken;
}

function begin(session) {
  accessToken = session.access_token;
  const text = JSON.stringify({ slug: session.workspace.slug });
  sessionStorage.setItem(KEY, text);
  localStorage.setItem(KEY, text);
}

function end() {
  accessToken = null;
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

/** This tab's workspace, else the one used last in this browser, else null. */
function remembered() {
  const text = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
  return text === null ? null : JSON.parse(text);
}
