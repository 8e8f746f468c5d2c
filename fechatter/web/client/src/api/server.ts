import { request } from "@/api/http"

/** What a server tells strangers about itself. */
export interface ServerFacts {
  name: string
  version: string
  set_up: boolean
  signup: "invitation" | "open"
  limits: Record<string, number>
}

let asked: Promise<ServerFacts> | undefined

/** Asked once a visit; a failure is asked again. Throws Problem or Unreachable. */
export function serverFacts(): Promise<ServerFacts> {
  asked ??= request<ServerFacts>("GET", "/api/server")
    .then(response => response.body)
    .catch((error: unknown) => {
      asked = undefined
      throw error
    })
  return asked
}
