/** The page after signing in. */

import type { RouteLocationRaw } from "vue-router"
import type { Session } from "@/api/token"
import { wantLastChat } from "@/offline/lastChat"

/** A person who signed in lands in the chat that was open last, if it is known. */
export function home(): RouteLocationRaw {
  wantLastChat()
  return { name: "home" }
}

/** A person who is new in a workspace lands in its default channel. Guests are in no channel yet. */
export function landing({ user, workspace }: Pick<Session, "user" | "workspace">): RouteLocationRaw {
  if (workspace.default_chat_id === null || user.role === "guest") return { name: "home" }
  return { name: "chat", params: { chatId: workspace.default_chat_id } }
}
