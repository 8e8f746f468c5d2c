/**
 * The world: the state of a workspace as this client knows it. Pure.
 *
 * A world starts with a response of `/api/sync` and then follows the events. Each part of it stores the position at
 * which it is known. Events up to that position are not applied to it again, and older responses are ignored. Responses
 * and events may therefore arrive in any order.
 */

import { seqOf } from "@/api/cursor"
import type { Chat, ReadMark, Sync, User, UserSummary, Workspace } from "@/api/nouns"
import { type Counted, type Reading, readingOf, replaced, withMark, withResumedMark, withReadUpTo } from "@/state/reads"

/** A person: complete, or only with the fields that chats contain. */
export type Person = UserSummary & Partial<User>

export interface World {
  /** The position of the load. */
  readonly cursor: string
  /** The position of all parts without a position of their own. */
  readonly loadedSeq: number
  /** The newest position of any part. */
  readonly seq: number
  readonly me: User
  readonly workspace: Workspace
  /** The names in `members` are those of the chat's position; `people` has the current names. */
  readonly chats: ReadonlyMap<number, Chat>
  readonly people: ReadonlyMap<number, Person>
  /** `chat:7`, `person:3` -> the position of its last response or event. */
  readonly positions: ReadonlyMap<string, number>
  /** The readings behind the unread counts. A chat without an entry keeps its loaded counts. */
  readonly readings: ReadonlyMap<number, Reading>
}

/** Returns the world of a response of `/api/sync`. The people in `known` stay known. */
export function worldOf(sync: Sync, known: ReadonlyMap<number, Person> = new Map()): World {
  const people = new Map(known)
  for (const person of [...sync.chats.flatMap(chat => chat.members), sync.me])
    people.set(person.id, { ...people.get(person.id), ...person })
  const seq = seqOf(sync.cursor)
  return {
    cursor: sync.cursor,
    loadedSeq: seq,
    seq,
    me: sync.me,
    workspace: sync.workspace,
    chats: new Map(sync.chats.map(chat => [chat.id, chat])),
    people,
    positions: new Map(),
    readings: new Map(),
  }
}

/** Returns the position of a part, such as `chat:7`. */
export function knownAt(world: World, name: string): number {
  return Math.max(world.loadedSeq, world.positions.get(name) ?? 0)
}

/** Returns the world with `name` known at position `seq`. */
export function withPosition(world: World, name: string, seq: number): World {
  return { ...world, seq: Math.max(world.seq, seq), positions: new Map(world.positions).set(name, seq) }
}

/** Apply a complete chat from a response at position `seq`, unless a newer state is known. */
export function applyChat(world: World, chat: Chat, seq: number): World {
  const name = `chat:${chat.id}`
  if (seq < knownAt(world, name)) return world
  const taken = withCounted(world, replaced(countedIn(world, chat.id), chat, seq))
  return withPosition(applySummaries(taken, chat.members, seq), name, seq)
}

/** Apply people from a response at position `seq`. Fields that are known from a later position stay. */
export function applyPeople(world: World, users: readonly User[], seq: number): World {
  return users.reduce((before, user) => {
    const name = `person:${user.id}`
    const known = before.people.get(user.id)
    const isOlder = seq < knownAt(before, name)
    const people = new Map(before.people).set(user.id, isOlder ? { ...user, ...known } : { ...known, ...user })
    if (isOlder) return { ...before, people }
    const me = user.id === before.me.id ? { ...before.me, ...user } : before.me
    return withPosition({ ...before, people, me }, name, seq)
  }, world)
}

/** Apply the fields of people that a chat contains at position `seq`. */
export function applySummaries(world: World, met: readonly Person[], seq: number): World {
  const people = new Map(world.people)
  for (const person of met) {
    const known = people.get(person.id)
    const isOlder = seq < knownAt(world, `person:${person.id}`)
    people.set(person.id, isOlder ? { ...person, ...known } : { ...known, ...person })
  }
  return { ...world, people }
}

/** Apply the read marks of `resumed`. Unlike `applyMarks`, this also moves a mark back. */
export function resumeMarks(world: World, marks: readonly ReadMark[]): World {
  return marks.reduce((before, mark) => recount(before, mark.chat_id, known => withResumedMark(known, mark)), world)
}

/** Apply read marks from this device or another one. */
export function applyMarks(world: World, marks: readonly ReadMark[]): World {
  return marks.reduce((before, mark) => recount(before, mark.chat_id, known => withMark(known, mark)), world)
}

/** Move the person's read mark of a chat forward to `number` on this device. */
export function readUpTo(world: World, chatId: number, number: number): World {
  return recount(world, chatId, known => withReadUpTo(known, number))
}

/** Returns a chat with the reading behind its counts. */
export function countedIn(world: World, chatId: number): Counted | undefined {
  const chat = world.chats.get(chatId)
  if (chat === undefined) return undefined
  return { chat, reading: world.readings.get(chatId) ?? readingOf(chat, knownAt(world, `chat:${chatId}`)) }
}

/** Returns the world with the counts of one chat changed. */
export function recount(world: World, chatId: number, change: (known: Counted) => Counted): World {
  const known = countedIn(world, chatId)
  if (known === undefined) return world
  const changed = change(known)
  return changed.chat === known.chat && changed.reading === known.reading ? world : withCounted(world, changed)
}

/** Returns the world with this chat and its counts replaced. */
export function withCounted(world: World, { chat, reading }: Counted): World {
  return {
    ...world,
    chats: new Map(world.chats).set(chat.id, chat),
    readings: new Map(world.readings).set(chat.id, reading),
  }
}
