/** Groups of durable events that one function applies. */

import type { Chat, DurableEvent } from "@/api/nouns"

export type { DurableEvent }

type Of<Type extends DurableEvent["type"]> = Extract<DurableEvent, { type: Type }>

/** The fields of a chat that an event changes; the other fields stay. */
export type ChatFacts = Partial<Chat> & { id: number }

export type MessageEvent = Of<"message.created" | "message.edited" | "message.deleted">

export type PersonEvent = Of<"user.joined" | "user.updated" | "user.disabled">

export type ChatEvent = Exclude<DurableEvent, MessageEvent | PersonEvent | { type: "workspace.updated" }>
