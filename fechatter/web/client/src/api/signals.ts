/** Signals: frames without a number, about the moment. The server does not repeat a signal that was lost. */

import type { Frame } from "@/api/nouns"
import type { components } from "@/api/schema"

type Schemas = components["schemas"]

export type Presence = Schemas["PersonPresence"]
export type PresenceState = Presence["state"]
export type Presences = Schemas["Presences"]

export type Signal =
  | Extract<Frame, { name: "typing.started" | "receipt.moved" | "presence.changed" }>
  /** The response to a subscription, which the leading tab passes to all tabs. */
  | { name: "presence.loaded"; data: Presences }
