/** The person's rights, from the server's own table, so that views offer only actions that the server allows. Pure. */

import type { Chat, Role, User } from "@/api/nouns"
import table from "@/api/rights.json"

export type ChatAction = keyof typeof table.chat
export type WorkspaceAction = keyof typeof table.workspace
type Standing = "admin" | "owner" | "member" | "guest"

/** Whether the person may do this in the workspace. */
export function may(action: WorkspaceAction, me: Pick<User, "role">): boolean {
  return (table.workspace[action] as readonly string[]).includes(me.role)
}

/** Whether the person may do this in a chat of which they are a member. */
export function mayIn(chat: Chat, action: ChatAction, me: Pick<User, "id" | "role">): boolean {
  const rule = table.chat[action]
  const isArchiveAllowed = rule.archived || chat.archived_at === null
  return (
    isArchiveAllowed &&
    (rule.kinds as readonly string[]).includes(chat.chat_type) &&
    (rule.who as readonly string[]).includes(standing(chat, me))
  )
}

/** Returns the roles that the person may assign. */
export function assignableRoles(me: Pick<User, "role">): Role[] {
  return table.people.give[me.role] as Role[]
}

/** Whether the person may disable, enable or change the role of a person with `role`. */
export function mayChange(me: Pick<User, "role">, role: Role): boolean {
  return (table.people.change[me.role] as readonly string[]).includes(role)
}

function standing(chat: Chat, me: Pick<User, "id" | "role">): Standing {
  if (me.role === "owner" || me.role === "admin") return "admin"
  if (chat.owner_id === me.id) return "owner"
  return me.role
}
