/** Applies the events of people to the world. Pure. */

import type { PersonEvent } from "@/state/events"
import type { Person, World } from "@/state/world"

export function applyToPeople(world: World, event: PersonEvent): World {
  const { user } = event.data
  const known = world.people.get(user.id)
  const person: Person = { ...known, ...user }
  const people = new Map(world.people).set(user.id, person)
  return { ...world, people, me: user.id === world.me.id ? { ...world.me, ...user } : world.me }
}
