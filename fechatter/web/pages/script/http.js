/**
 * One request and its answer. A refusal is a Problem, no answer at all is Unreachable; nothing else comes out.
 */

export const TIMEOUT_MS = 15_000;

/** The server's refusal: `code` is stable, `message` is for people, `errors` names refused fields. */
export class Problem extends Error {
  constructor(status, body, retryAfterSeconds = 0) {
    super(body.errors?.length ? body.errors.map((error) => error.detail).join(" ") : body.detail || `The server answered ${status}.`);
    this.status = status;
    this.code = body.code ?? "";
    this.errors = body.errors ?? [];
    this.body = body;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Whether the same request may be sent again later, as it is. */
  get isTemporary() {
    return this.status === 429 || this.status >= 500;
  }
}

/** No answer came: no network, no server, or it took too long. Whether the request took effect is unknown. */
export class Unreachable extends Error {
  constructor(cause) {
    super("The server cannot be reached.", { cause });
    this.isTemporary = true;
    this.retryAfterSeconds = 0;
  }
}

/**
 * Send one request; returns `{status, body, cursor}`, `cursor` being the answer's Event-Cursor or null.
 * Throws Problem or Unreachable.
 */
export async function request(method, path, { body, headers = {} } = {}) {
  const answer = await open(path, {
    method,
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const content = await read(answer);
  return { status: answer.status, body: content, cursor: answer.headers.get("Event-Cursor") };
}

/** A `fetch` that gives an answer below 400 and throws the others. Throws Problem or Unreachable. */
export async function open(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, cache: "no-store", redirect: "error" });
  } catch (error) {
    throw new Unreachable(error);
  }
  if (answer.ok) return answer;
  const wait = Number(answer.headers.get("Retry-After"));
  throw new Problem(answer.status, (await read(answer)) ?? {}, Number.isFinite(wait) ? wait : 0);
}

/** The JSON of an answer, or null when it holds none (a proxy's error page, 204). Throws Unreachable. */
async function read(answer) {
  let text;
  try {
    text = await answer.text();
  } catch (error) {
    throw new Unreachable(error);
  }
  if (!answer.headers.get("Content-Type")?.includes("json")) return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(answer.status, { detail: "The server's answer cannot be read." });
  }
}
