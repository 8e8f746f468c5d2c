/** The server's nouns, by the names the client calls them; `schema.ts` is made from the contract. */

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
