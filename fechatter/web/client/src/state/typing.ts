/** The people who are typing in a chat. Pure. */

export interface Typing {
  /** The time at which each person's entry ends, in milliseconds since the epoch. */
  readonly people: ReadonlyMap<number, number>
  /** If many people type, the server sends only their number. This is the end of that entry. */
  readonly manyUntilMs: number
}

export const NOBODY: Typing = { people: new Map(), manyUntilMs: 0 }

interface Started {
  user_ids: readonly number[]
  count: number
  expires_in: number
}

/** Apply a signal that people type. A person's entry lasts from the person's latest signal. */
export function withStarted(before: Typing, { user_ids, count, expires_in }: Started, nowMs: number): Typing {
  const untilMs = nowMs + expires_in * 1000
  const people = new Map(before.people)
  for (const id of user_ids) people.set(id, untilMs)
  return { people, manyUntilMs: user_ids.length === 0 && count > 0 ? untilMs : before.manyUntilMs }
}

/** A message of this person arrived, so the person is done. */
export function withoutPerson(before: Typing, userId: number): Typing {
  if (!before.people.has(userId)) return before
  const people = new Map(before.people)
  people.delete(userId)
  return { ...before, people }
}

/** Returns the entries that are left at this time, or null if there are none. */
export function stillTyping(before: Typing, nowMs: number): Typing | null {
  const people = new Map([...before.people].filter(([, untilMs]) => untilMs > nowMs))
  const manyUntilMs = before.manyUntilMs > nowMs ? before.manyUntilMs : 0
  return people.size > 0 || manyUntilMs > 0 ? { people, manyUntilMs } : null
}

/** Returns the time at which the next entry ends. */
export function nextEndMs({ people, manyUntilMs }: Typing): number {
  return Math.min(...people.values(), manyUntilMs > 0 ? manyUntilMs : Infinity)
}

/** Returns the people to name, the first one first, or "many" if they are too many to name. */
export function typists({ people, manyUntilMs }: Typing, me: number): number[] | "many" {
  const others = [...people.keys()].filter(id => id !== me)
  return manyUntilMs > 0 || others.length > 2 ? "many" : others
}
