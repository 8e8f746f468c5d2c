/** A model of the server for tests of the client's state. */

import type { Chat, Message, ReadMark, User, UserSummary } from "@/api/nouns"
import type { DurableEvent } from "@/state/events"

const AT = "2026-01-02T03:04:05.678Z"
/** The id of the signed-in person. */
export const ME = 1

/** A server with one workspace: its state at each position, and the events between the states. */
export class ModelServer {
  seq = 0
  readonly events: DurableEvent[] = []
  /** The read marks that were sent to the person's devices. */
  marks: ReadMark[] = []
  private readonly chats = new Map<number, Chat>()
  private readonly users = new Map<number, User>([1, 2, 3].map(id => [id, user(id)]))
  private readonly deleted = new Map<number, Set<number>>()
  /** The states at each position. A position has several states, because a read mark moves without an event. */
  private readonly history: { chats: Map<number, Chat>; users: Map<number, User> }[][] = []

  constructor() {
    this.remember()
  }

  /** The state at a position. Members have the names of that position. */
  snapshot(seq: number, which = -1) {
    const states = this.history[seq]
    const found = states?.at(which < 0 ? which : which % states.length)
    if (found === undefined) throw new Error(`nothing at ${seq}`)
    return found
  }

  sync(seq: number, which = -1) {
    const { chats, users } = this.snapshot(seq, which)
    return {
      cursor: `e.${seq}`,
      me: users.get(ME)!,
      workspace: { id: 1, slug: "w", name: "W", created_at: AT, default_chat_id: null },
      chats: [...chats.values()],
    }
  }

  join(id: number, memberId: number) {
    const chat = this.chats.get(id) ?? this.everyChat(id)
    if (chat.members.some(member => member.id === memberId)) return
    const members = [...chat.members, summary(this.users.get(memberId)!)]
    const grown = { ...chat, members, member_count: members.length }
    if (memberId === ME || this.isMine(id)) this.chats.set(id, grown)
    this.left.set(id, grown)
    if (!this.isMine(id)) return
    const whole = { ...grown, members: members.map(({ id }) => summary(this.users.get(id)!)) }
    const facts = memberId === ME ? whole : { id, members, member_count: members.length, owner_id: 1, updated_at: AT }
    this.emit({
      type: "member.joined",
      chat_id: id,
      data: {
        member: { user_id: memberId, role: "member", joined_at: AT, user: summary(this.users.get(memberId)!) },
        chat: facts,
      },
    })
  }

  leave(id: number, memberId: number) {
    const chat = this.chats.get(id)
    if (!chat?.members.some(member => member.id === memberId)) return
    const members = chat.members.filter(member => member.id !== memberId)
    const shrunk = { ...chat, members, member_count: members.length }
    this.left.set(id, shrunk)
    if (memberId === ME) this.chats.delete(id)
    else this.chats.set(id, shrunk)
    this.emit({
      type: "member.left",
      chat_id: id,
      data: { member: { user_id: memberId }, chat: { id, members, member_count: members.length } },
    })
  }

  send(id: number, senderId: number) {
    const chat = this.chats.get(id)
    if (chat === undefined) return
    const message: Message = {
      id: this.seq + 100,
      chat_id: id,
      number: chat.last_number + 1,
      sender_id: senderId,
      content: `m${this.seq}`,
      revision: 1,
      created_at: AT,
      edited_at: null,
      deleted_at: null,
    }
    const readNumber = senderId === ME ? message.number : chat.last_read_number
    this.count({ ...chat, last_number: message.number, last_message: message, last_read_number: readNumber })
    this.emit({ type: "message.created", chat_id: id, data: { message } })
  }

  /** Delete some message. Its content and its sender do not matter for the counts. */
  delete(id: number, place: number) {
    const chat = this.chats.get(id)
    if (!chat?.last_message) return
    const number = 1 + (place % chat.last_number)
    const deleted = this.deletedIn(id)
    if (deleted.has(number)) return
    deleted.add(number)
    const isLast = chat.last_message.number === number
    const message = { ...chat.last_message, content: "", deleted_at: AT }
    this.count(isLast ? { ...chat, last_message: message } : chat)
    const shown = isLast ? message : { ...message, id: -number, number }
    this.emit({ type: "message.deleted", chat_id: id, data: { message: shown } })
  }

  /** The person reads on another device. */
  read(id: number, place: number) {
    const chat = this.chats.get(id)
    const number = chat === undefined ? 0 : place % (chat.last_number + 1)
    if (chat === undefined || number <= chat.last_read_number) return
    this.mark({ ...chat, last_read_number: number })
  }

  unread(id: number, place: number) {
    const chat = this.chats.get(id)
    if (chat === undefined || chat.last_number === 0) return
    this.mark({ ...chat, last_read_number: place % chat.last_number, read_revision: chat.read_revision + 1 })
  }

  /** The read marks in a `resumed` frame. */
  allMarks(): ReadMark[] {
    return [...this.chats.values()].map(chat => this.markOf(chat))
  }

  private mark(chat: Chat) {
    this.count(chat)
    this.marks.push(this.markOf(chat))
    this.remember()
  }

  private markOf({ id, last_read_number, read_revision }: Chat): ReadMark {
    const above = [...this.deletedIn(id)].filter(number => number > last_read_number).length
    return { chat_id: id, last_read_number, revision: read_revision, deleted_above: above, seq: this.seq }
  }

  private count(chat: Chat) {
    const above = [...this.deletedIn(chat.id)].filter(number => number > chat.last_read_number).length
    this.chats.set(chat.id, { ...chat, unread_count: chat.last_number - chat.last_read_number - above })
  }

  private deletedIn(id: number): Set<number> {
    const known = this.deleted.get(id) ?? new Set<number>()
    this.deleted.set(id, known)
    return known
  }

  edit(id: number) {
    const chat = this.chats.get(id)
    if (!chat?.last_message || chat.last_message.deleted_at !== null) return
    const message = {
      ...chat.last_message,
      content: `e${this.seq}`,
      revision: chat.last_message.revision + 1,
      edited_at: AT,
    }
    this.chats.set(id, { ...chat, last_message: message })
    this.emit({ type: "message.edited", chat_id: id, data: { message } })
  }

  rename(id: number) {
    const chat = this.chats.get(id)
    if (chat === undefined) return
    this.chats.set(id, { ...chat, name: `n${this.seq}` })
    this.emit({ type: "chat.updated", chat_id: id, data: { chat: { id, name: `n${this.seq}` } } })
  }

  remove(id: number) {
    if (!this.chats.delete(id)) return
    this.left.delete(id)
    this.deleted.delete(id)
    this.marks = this.marks.filter(mark => mark.chat_id !== id)
    this.emit({ type: "chat.deleted", chat_id: id, data: { chat: { id } } })
  }

  /** The person changes a preference on another device. */
  prefer(id: number, memberId: number) {
    const chat = this.chats.get(id)
    if (chat === undefined) return
    const wanted = { starred: memberId === ME, muted: memberId === 2 }
    this.chats.set(id, { ...chat, ...wanted })
    const data = { preferences: { chat_id: id, ...wanted } }
    this.emit({ type: "preferences.updated", chat_id: id, data })
  }

  renamePerson(id: number) {
    const changed = { ...this.users.get(id)!, fullname: `p${this.seq}` }
    this.users.set(id, changed)
    this.emit({ type: "user.updated", chat_id: null, data: { user: changed } })
  }

  private readonly left = new Map<number, Chat>()

  private everyChat(id: number): Chat {
    return (
      this.left.get(id) ?? {
        id,
        chat_type: "public_channel",
        name: `c${id}`,
        description: "",
        owner_id: 1,
        member_count: 0,
        members: [],
        created_at: AT,
        updated_at: AT,
        archived_at: null,
        last_number: 0,
        last_message: null,
        last_read_number: 0,
        read_revision: 0,
        unread_count: 0,
        starred: false,
        muted: false,
      }
    )
  }

  private isMine(id: number) {
    return this.chats.has(id)
  }

  private emit(event: Omit<DurableEvent, "seq" | "workspace_id" | "at">) {
    this.seq += 1
    this.events.push({ ...event, seq: this.seq, workspace_id: 1, at: AT } as DurableEvent)
    this.remember()
  }

  private remember() {
    const named = [...this.chats].map(
      ([id, chat]) => [id, { ...chat, members: chat.members.map(({ id }) => summary(this.users.get(id)!)) }] as const,
    )
    const states = (this.history[this.seq] ??= [])
    states.push({ chats: new Map(named), users: new Map(this.users) })
  }
}

export function user(id: number): User {
  return {
    id,
    handle: `h${id}`,
    fullname: `f${id}`,
    avatar_url: null,
    kind: "person",
    role: "member",
    created_at: AT,
    disabled: false,
    status: null,
  }
}

export function summary({ id, handle, fullname, avatar_url }: UserSummary): UserSummary {
  return { id, handle, fullname, avatar_url }
}
