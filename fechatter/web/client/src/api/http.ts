/** Sends one request. An error response throws Problem, and a missing response throws Unreachable. */

export const TIMEOUT_MS = 15_000

/** An invalid value: its JSON pointer, a stable code, and a sentence in English. */
export interface FieldProblem {
  pointer: string
  code: string
  detail: string
}

interface ProblemBody {
  code?: string
  detail?: string
  request_id?: string
  errors?: FieldProblem[]
  [name: string]: unknown
}

/** An error response. `code` is stable; `message` is a sentence in English. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly errors: FieldProblem[]
  readonly requestId: string | null
  readonly body: ProblemBody
  readonly retryAfterSeconds: number

  constructor(status: number, body: ProblemBody, requestId: string | null = null, retryAfterSeconds = 0) {
    super(body.detail || `The server responded with ${status}.`)
    this.status = status
    this.code = body.code ?? ""
    this.errors = body.errors ?? []
    this.requestId = body.request_id ?? requestId
    this.body = body
    this.retryAfterSeconds = retryAfterSeconds
  }

  /** Whether the same request may be sent again later. */
  get isTemporary(): boolean {
    return this.status === 408 || this.status === 429 || this.status >= 500
  }
}

/** No response arrived: no network, no server, or a timeout. It is unknown whether the request took effect. */
export class Unreachable extends Error {
  readonly isTemporary = true
  readonly retryAfterSeconds = 0

  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause })
  }
}

export interface ApiResponse<Body> {
  status: number
  body: Body
  /** The position of the state in the response, or null. */
  cursor: string | null
}

export interface RequestOptions {
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** Send one request. Throws Problem or Unreachable. */
export async function request<Body>(
  method: string,
  path: string,
  { body, headers = {}, signal }: RequestOptions = {},
): Promise<ApiResponse<Body>> {
  const late = AbortSignal.timeout(TIMEOUT_MS)
  const response = await open(path, {
    method,
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: signal ? AbortSignal.any([signal, late]) : late,
  })
  return { status: response.status, body: (await read(response)) as Body, cursor: response.headers.get("Event-Cursor") }
}

/** Returns a response with a status below 400. Throws Problem or Unreachable. */
export async function open(path: string, options: RequestInit): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, { ...options, cache: "no-store", redirect: "error" })
  } catch (error) {
    throw new Unreachable(error)
  }
  if (response.ok) return response
  const wait = Number(response.headers.get("Retry-After"))
  const body = (await read(response)) as ProblemBody | null
  throw new Problem(response.status, body ?? {}, response.headers.get("X-Request-Id"), Number.isFinite(wait) ? wait : 0)
}

/** Returns the JSON of a response, or null if it has none, such as a 204 or a proxy's error page. */
async function read(response: Response): Promise<unknown> {
  let text: string
  try {
    text = await response.text()
  } catch (error) {
    throw new Unreachable(error)
  }
  if (!response.headers.get("Content-Type")?.includes("json")) return null
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(response.status, { detail: "The response cannot be read." }, response.headers.get("X-Request-Id"))
  }
}
