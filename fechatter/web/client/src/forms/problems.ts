/** Explains errors in the person's language. */

import { type FieldProblem, Problem, Unreachable } from "@/api/http"
import { SignedOut } from "@/api/token"
import { toast } from "@/components/toasts"
import { type Key, t } from "@/i18n"

export interface Explained {
  text: string
  /** The request's id, for the operator of the server. */
  requestId?: string
  /** The error of each field, by the field's name in the request. */
  fields: Record<string, string>
}

/** The texts for the server's stable codes. Other codes get the text of their status. */
const CODES: Record<string, Key> = {
  account_disabled: "errors.accountDisabled",
  email_taken: "errors.emailTaken",
  handle_taken: "errors.handleTaken",
  invitation_expired: "errors.invitationExpired",
  invitation_refused: "errors.invitationBad",
  invitation_revoked: "errors.invitationRevoked",
  invitation_used: "errors.invitationUsed",
  last_owner: "errors.lastOwner",
  name_taken: "errors.nameTaken",
  not_storable: "errors.notStorable",
  not_the_sender: "errors.notTheSender",
  reset_link_expired: "errors.resetLinkExpired",
  reset_link_revoked: "errors.resetLinkRevoked",
  reset_link_used: "errors.resetLinkUsed",
  setup_token_refused: "errors.setupTokenBad",
  sign_in_busy: "errors.busy",
  signup_closed: "errors.signupClosed",
  storage_full: "errors.storageFull",
  token_reused: "errors.signedOut",
  workspace_taken: "errors.workspaceTaken",
  wrong_credentials: "errors.badCredentials",
  wrong_password: "errors.passwordWrong",
}

const STATUSES: Record<number, Key> = {
  401: "errors.signedOut",
  403: "errors.forbidden",
  404: "errors.notFound",
  409: "errors.conflict",
  413: "errors.tooLarge",
  422: "errors.invalid",
  503: "errors.busy",
}

const FIELDS: Record<string, Key> = {
  missing: "errors.required",
  not_storable: "errors.notStorable",
  blank: "errors.required",
  invalid_email: "errors.emailBad",
  invalid_handle: "errors.handleBad",
  too_long: "errors.fieldTooLong",
  too_short: "errors.tooShort",
}

/** The fields that a code implies if the server names no field. */
const FIELD_OF_CODE: Record<string, string> = {
  email_taken: "email",
  handle_taken: "handle",
  name_taken: "name",
  workspace_taken: "workspace",
  wrong_password: "current_password",
}

export function explain(error: unknown): Explained {
  if (error instanceof Unreachable) return { text: t("errors.unreachable"), fields: {} }
  if (error instanceof SignedOut) return { text: t("errors.signedOut"), fields: {} }
  // An error of the client itself. The console shows all of it.
  if (!(error instanceof Problem))
    return (console.error(error), { text: t("errors.unknown", { code: String(error) }), fields: {} })
  const explained: Explained = { text: sentence(error), fields: fieldsOf(error) }
  if (error.requestId !== null) explained.requestId = error.requestId
  return explained
}

/** Returns the reason why a message was refused. A code without a text here shows the server's English text. */
export function refusalText(refusal: { code: string; detail: string } | null): string {
  if (refusal === null) return ""
  const key = CODES[refusal.code]
  return key === undefined ? refusal.detail : t(key)
}

/** Shows an error as a toast, with the request's id. */
export function showProblem(error: unknown): void {
  const { text, fields, requestId } = explain(error)
  // A toast marks no fields, so it shows the error of the first one.
  toast({ text: Object.values(fields)[0] ?? text, kind: "error", ...(requestId === undefined ? {} : { requestId }) })
}

function sentence(problem: Problem): string {
  if (problem.status === 429) return t("errors.tooMany", { count: Math.max(1, problem.retryAfterSeconds) })
  const key = CODES[problem.code] ?? STATUSES[problem.status]
  if (key !== undefined) return t(key)
  return problem.status >= 500 ? t("errors.server") : t("errors.unknown", { code: problem.code || problem.status })
}

function fieldsOf(problem: Problem): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const error of problem.errors) fields[nameOf(error)] ??= t(FIELDS[error.code] ?? "errors.fieldBad")
  const known = FIELD_OF_CODE[problem.code]
  if (known !== undefined) fields[known] ??= sentence(problem)
  return fields
}

/** `/email` -> `email`. */
function nameOf(error: FieldProblem): string {
  return error.pointer.split("/")[1] ?? ""
}
