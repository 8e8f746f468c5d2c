/** A workspace with people, chats and the messages of two days. */

import { DatabaseSync } from "node:sqlite"
import { Person } from "./people.ts"
import type { Server } from "./server.ts"
import { LAUNCH, PEOPLE, CONVERSATIONS, type Name, type Conversation } from "./talk.ts"

const MINUTE_MS = 60_000
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS

export interface Team {
  ada: Person
  people: Record<Name, Person>
  /** The id of the team's main channel. */
  launch: number
}

const teams = new WeakMap<Server, Promise<Team>>()

/** Returns the team of a server, which is created once. */
export function teamOn(server: Server): Promise<Team> {
  const known = teams.get(server) ?? make(server)
  teams.set(server, known)
  return known
}

async function make(server: Server): Promise<Team> {
  const ada = await Person.owner(server, "ada@example.org", PEOPLE.ada, "Analytical Engines")
  const people = { ada } as Record<Name, Person>
  for (const [name, fullname] of Object.entries(PEOPLE)) {
    const role = name === "grace" ? "admin" : name === "omar" ? "guest" : "member"
    if (name !== "ada") people[name as Name] = await ada.invite(`${name}@example.org`, fullname, role)
  }
  const database = new DatabaseSync(server.database, { timeout: 5000 })
  try {
    for (const conversation of CONVERSATIONS) await fill(conversation, people, database)
    return { ada, people, launch: await fill(LAUNCH, people, database) }
  } finally {
    database.close()
  }
}

/** Create a chat with the messages of a conversation; returns its id. */
async function fill(conversation: Conversation, people: Record<Name, Person>, database: DatabaseSync): Promise<number> {
  const { lines, unread = 0, ...wanted } = conversation
  const members = conversation.members.map(name => people[name].id)
  const isPublic = conversation.chat_type === "public_channel"
  const body = { ...wanted, members: isPublic ? [] : members }
  const { id: chatId } = await people.ada.call<{ id: number }>("POST", "/api/chat", body)
  if (isPublic) await people.ada.call("POST", `/api/chat/${chatId}/members`, { members })
  for (const [before, who, content] of lines) {
    const path = `/api/chat/${chatId}/messages`
    const { id } = await people[who].call<{ id: number }>("POST", path, { content })
    // The server dates messages with its own clock, so earlier dates are set here.
    database.prepare("UPDATE messages SET created_at = ? WHERE id = ?").run(Date.now() - before * MINUTE_MS, id)
  }
  database.prepare("UPDATE chats SET created_at = created_at - ? WHERE id = ?").run(WEEK_MS, chatId)
  await people.ada.call("PUT", `/api/chat/${chatId}/read`, { number: lines.length - unread })
  return chatId
}
