/** The first steps in a new workspace, derived from its state. Pure. */

import { may } from "@/state/rights"
import type { World } from "@/state/world"

export type StepName = "name" | "invite" | "send"

export interface Step {
  name: StepName
  isDone: boolean
}

/** Returns the steps for this person. `hasInvited` is true if the workspace has or had an invitation. */
export function steps({ me, workspace, chats }: World, hasInvited: boolean): Step[] {
  const all = [...chats.values()]
  const isWithOthers = all.some(chat => chat.member_count > 1)
  return [
    ...(may("RENAME_WORKSPACE", me) ? [{ name: "name" as const, isDone: workspace.name.trim() !== "" }] : []),
    ...(may("INVITE", me) ? [{ name: "invite" as const, isDone: hasInvited || isWithOthers }] : []),
    ...(all.length > 0 || may("INVITE", me)
      ? [{ name: "send" as const, isDone: all.some(chat => chat.last_number > 0) }]
      : []),
  ]
}
