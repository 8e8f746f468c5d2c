/** Calls that need a signed-in person. An access token that ran out is renewed once, unseen. */

import { Problem, open, request } from "./http.js";
import { refused, token } from "./session.js";

/** Returns the answer's body. Throws SignedOut, Problem or Unreachable. */
export async function call(method, path, body, headers) {
  return (await callWhole(method, path, body, headers)).body;
}

/** The same, with the answer's position: `{status, body, cursor}`. */
export function callWhole(method, path, body, headers = {}) {
  return withToken((authorization) => request(method, path, { body, headers: { ...headers, ...authorization } }));
}

/** An answer that is read piece by piece; `signal` ends it. Throws SignedOut, Problem or Unreachable. */
export function openStream(path, headers, signal) {
  return withToken((authorization) => open(path, { headers: { ...headers, ...authorization }, signal }));
}

/** Every item of a list that comes in pages, at most `most` of them. */
export async function all(path, most = 1000) {
  const items = [];
  let next = null;
  do {
    const page = await call("GET", `${path}${path.includes("?") ? "&" : "?"}limit=100${next ? `&cursor=${encodeURIComponent(next)}` : ""}`);
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < most);
  return items;
}

async function withToken(send) {
  const first = await token();
  try {
    return await send({ Authorization: `Bearer ${first}` });
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    refused(first);
  }
  return send({ Authorization: `Bearer ${await token()}` });
}
