/** The types of the API, by their names in the client. `schema.ts` is generated from the contract. */

import type { components } from "@/api/schema"

type Schemas = components["schemas"]

export type Role = Schemas["Role"]
export type ChatType = Schemas["ChatType"]
export type UserSummary = Schemas["UserSummary"]
export type User = Schemas["User"]
export type Workspace = Schemas["Workspace"]
export type Message = Schemas["Message"]
export type Chat = Schemas["Chat"]
export type NamedChat = Schemas["NamedChat"]
export type ReadMark = Schemas["ReadMark"]
export type Unread = Schemas["Unread"]
export type Member = Schemas["Member"]
export type Sync = Schemas["State"]
export type MessagePage = Schemas["MessagePage"]
export type Invitation = Schemas["Invitation"]
export type Session = Schemas["Session"]
export type Opening = Schemas["Opening"]
export type Server = Schemas["Server"]
export type Channel = Schemas["Channel"]
export type ChatPreferences = Schemas["ChatPreferences"]

export type Receipt = Schemas["Receipt"]
export type ChatReceipts = Schemas["ChatReceipts"]
export type Status = Schemas["Status"]

/** A durable event; `type` determines the type of its `data`. */
export type DurableEvent = Schemas["Event"]

/** A frame of the live stream; `name` determines the type of its `data`. */
export type Frame = {
  [Name in keyof Schemas["Frames"]]: { name: Name; data: Schemas["Frames"][Name] }
}[keyof Schemas["Frames"]]
