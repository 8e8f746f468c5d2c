import { reactive } from "vue"

export interface Toast {
  id: number
  text: string
  /** `done` shows a check mark. An error stays until it is closed. */
  kind: "done" | "info" | "error"
  /** Such as "Undo". */
  action?: { label: string; run: () => void }
  /** The request's id, which a person can copy for the operator of the server. */
  requestId?: string
}

const SHOWN_MS = 6_000
const MAX = 3

export const toasts = reactive<Toast[]>([])
let last = 0

/** Shows a notice for a moment. By default it reports success. */
export function toast(notice: Omit<Toast, "id" | "kind"> & { kind?: Toast["kind"] }): void {
  const made: Toast = { kind: "done", ...notice, id: ++last }
  toasts.push(made)
  while (toasts.length > MAX) toasts.shift()
  if (made.kind !== "error") setTimeout(() => closeToast(made.id), SHOWN_MS)
}

export function closeToast(id: number): void {
  const index = toasts.findIndex(toast => toast.id === id)
  if (index >= 0) toasts.splice(index, 1)
}
