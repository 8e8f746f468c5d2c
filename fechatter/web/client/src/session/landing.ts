/** The page after signing in. */

import type { RouteLocationRaw } from "vue-router"
import type { Session } from "@/api/token"
import { wantLastChat } from "@/offline/lastChat"

/** Returns the page for a person who signed in: the chat that was open last, or the home page. */
export function home(): RouteLocationRaw {
  wantLastChat()
  return { name: "home" }
}

/** Returns the page for a new person: the default channel of the workspace. Guests are in no channel yet. */
export function landing({ user, workspace }: Pick<Session, "user" | "workspace">): RouteLocationRaw {
  if (workspace.default_chat_id === null || user.role === "guest") return { name: "home" }
  return { name: "chat", params: { chatId: workspace.default_chat_id } }
}
