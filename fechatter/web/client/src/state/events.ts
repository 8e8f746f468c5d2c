/** What the stream brings: durable events, and signals and control frames without a number. */

import type { Chat, ChatPreferences, Member, Message, ReadMark, User, UserSummary, Workspace } from "@/api/nouns"

interface Durable<Type extends string, Data> {
  type: Type
  seq: number
  workspace_id: number
  at: string
  data: Data
}

interface OfChat<Type extends string, Data> extends Durable<Type, Data> {
  chat_id: number
}

interface OfWorkspace<Type extends string, Data> extends Durable<Type, Data> {
  chat_id: null
}

/** The facts of a chat that an event changes; the rest stays. */
export type ChatFacts = Partial<Chat> & { id: number }

export type MessageEvent = OfChat<"message.created" | "message.edited" | "message.deleted", { message: Message }>

export type MembershipEvent =
  | OfChat<"member.joined", { member: Member & { user: UserSummary }; chat: ChatFacts }>
  | OfChat<"member.left", { member: { user_id: number }; chat: ChatFacts }>
  | OfChat<"member.role_changed", { member: { user_id: number; role: Member["role"] }; chat: ChatFacts }>

/** Only the person's own devices get it. */
export type PreferencesEvent = OfChat<"preferences.updated", { preferences: ChatPreferences }>

export type ChatEvent =
  OfChat<"chat.updated" | "chat.deleted", { chat: ChatFacts }> | MembershipEvent | PreferencesEvent

export type PersonEvent = OfWorkspace<
  "user.joined" | "user.updated" | "user.disabled",
  { user: Partial<User> & { id: number } }
>

export type WorkspaceEvent = OfWorkspace<"workspace.updated", { workspace: Partial<Workspace> }>

export type DurableEvent = MessageEvent | ChatEvent | PersonEvent | WorkspaceEvent

/** A frame of the stream, decoded; `closing` and `hello` are the connection's own business. */
export type Frame = { kind: "event"; event: DurableEvent } | { kind: "reads"; reads: ReadMark[] }
