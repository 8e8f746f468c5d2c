import { request } from "@/api/http"

/** The public facts of a server. */
export interface ServerFacts {
  name: string
  version: string
  set_up: boolean
  signup: "invitation" | "open"
  limits: Record<string, number>
}

let loading: Promise<ServerFacts> | undefined

/** Loads the facts once per page; a failed load is repeated. Throws Problem or Unreachable. */
export function serverFacts(): Promise<ServerFacts> {
  loading ??= request<ServerFacts>("GET", "/api/server")
    .then(response => response.body)
    .catch((error: unknown) => {
      loading = undefined
      throw error
    })
  return loading
}
