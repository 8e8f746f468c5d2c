/** One request and its answer. A refusal is a Problem, no answer at all is Unreachable; nothing else comes out. */

export const TIMEOUT_MS = 15_000

/** A refused value: where (JSON pointer), a stable code, a sentence. */
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

/** The server's refusal; `code` is stable, `message` is the server's own English sentence. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly errors: FieldProblem[]
  readonly requestId: string | null
  readonly body: ProblemBody
  readonly retryAfterSeconds: number

  constructor(status: number, body: ProblemBody, requestId: string | null = null, retryAfterSeconds = 0) {
    super(body.detail || `The server answered ${status}.`)
    this.status = status
    this.code = body.code ?? ""
    this.errors = body.errors ?? []
    this.requestId = body.request_id ?? requestId
    this.body = body
    this.retryAfterSeconds = retryAfterSeconds
  }

  /** Whether the same request may be sent again later, as it is. */
  get isTemporary(): boolean {
    return this.status === 408 || this.status === 429 || this.status >= 500
  }
}

/** No answer came: no network, no server, or it took too long. Whether the request took effect is unknown. */
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
  /** The position the answer was read at, or null. */
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

/** A `fetch` that gives an answer below 400 and throws the others. Throws Problem or Unreachable. */
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

/** The JSON of an answer, or null when it holds none (a proxy's error page, 204). */
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
    throw new Problem(
      response.status,
      { detail: "The server's response cannot be read." },
      response.headers.get("X-Request-Id"),
    )
  }
}
