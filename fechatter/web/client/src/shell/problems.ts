/** What went wrong, in the reader's words: by the server's stable codes, never by its sentences. */

import { Problem, Unreachable } from "@/api/http"
import { SignedOut } from "@/api/token"
import { toast } from "@/components/toasts"
import { t, type Key } from "@/i18n"

/** The codes that have words of their own; the others go by their status. */
const BY_CODE: Record<string, Key> = {
  bad_credentials: "errors.badCredentials",
  email_taken: "errors.emailTaken",
  workspace_taken: "errors.workspaceTaken",
  invitation_invalid: "errors.invitationBad",
  setup_token_invalid: "errors.setupTokenBad",
  wrong_password: "errors.passwordWrong",
}

const BY_STATUS: Record<number, Key> = {
  401: "errors.signedOut",
  403: "errors.forbidden",
  404: "errors.notFound",
  409: "errors.conflict",
  410: "errors.notFound",
  413: "errors.tooLarge",
  422: "errors.invalid",
  503: "errors.busy",
}

/** A sentence or two for people: what happened, and what to do. */
export function explain(error: unknown): string {
  if (error instanceof Unreachable) return t("errors.unreachable")
  if (error instanceof SignedOut) return t("errors.signedOut")
  if (!(error instanceof Problem)) return t("errors.unknown", { code: String(error) })
  if (error.status === 429) return t("errors.tooMany", { seconds: Math.max(1, error.retryAfterSeconds) })
  const key = BY_CODE[error.code] ?? BY_STATUS[error.status]
  if (key) return t(key)
  return error.status >= 500 ? t("errors.server") : t("errors.unknown", { code: error.code })
}

/** Say it in passing, with the request's id to copy. */
export function tellProblem(error: unknown): void {
  const requestId = error instanceof Problem ? error.requestId : null
  toast({ kind: "error", text: explain(error), ...(requestId === null ? {} : { requestId }) })
}
