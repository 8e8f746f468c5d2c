/** Where somebody lands who is new in a workspace: in its default channel. Guests are in none yet. */

import type { RouteLocationRaw } from "vue-router"
import type { Session } from "@/api/token"

export function landing({ user, workspace }: Pick<Session, "user" | "workspace">): RouteLocationRaw {
  if (workspace.default_chat_id === null || user.role === "guest") return { name: "home" }
  return { name: "chat", params: { chatId: workspace.default_chat_id } }
}
