/** Applies an event of any type to the world. Pure. */

import { applyToChats } from "@/state/chats"
import type { DurableEvent } from "@/state/events"
import { applyToPeople } from "@/state/people"
import { knownAt, withPosition, type World } from "@/state/world"

/** Returns the world after one event. An event that the world already includes changes nothing. */
export function apply(world: World, event: DurableEvent): World {
  const name = subject(event)
  if (event.seq <= knownAt(world, name)) return world
  return withPosition(change(world, event), name, event.seq)
}

function change(world: World, event: DurableEvent): World {
  switch (event.type) {
    case "user.joined":
    case "user.updated":
    case "user.disabled":
      return applyToPeople(world, event)
    case "workspace.updated":
      return { ...world, workspace: { ...world.workspace, ...event.data.workspace } }
    default:
      return applyToChats(world, event)
  }
}

function subject(event: DurableEvent): string {
  if (event.chat_id !== null) return `chat:${event.chat_id}`
  return "user" in event.data ? `person:${event.data.user.id}` : "workspace"
}
