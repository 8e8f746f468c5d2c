/** A person who is new in a workspace lands in its default channel. Guests are in no channel yet. */

import type { RouteLocationRaw } from "vue-router"
import type { Session } from "@/api/token"

export function landing({ user, workspace }: Pick<Session, "user" | "workspace">): RouteLocationRaw {
  if (workspace.default_chat_id === null || user.role === "guest") return { name: "home" }
  return { name: "chat", params: { chatId: workspace.default_chat_id } }
}
