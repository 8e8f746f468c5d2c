/** Applies the events of chats and messages to the world. Pure. */

import type { Chat } from "@/api/nouns"
import type { ChatEvent, ChatFacts, MessageEvent } from "@/state/events"
import { replaced, withDeletion, withMessage } from "@/state/reads"
import { applySummaries, countedIn, recount, withCounted, type World } from "@/state/world"

export function applyToChats(world: World, event: ChatEvent | MessageEvent): World {
  const id = event.chat_id
  switch (event.type) {
    case "message.created":
      return recount(world, id, chat => withMessage(chat, event.data.message, event.seq, world.me.id))
    case "message.edited":
      return changed(world, id, chat => changedLast(chat, event.data.message))
    case "message.deleted": {
      const counted = recount(world, id, chat => withDeletion(chat, event.data.message.number, event.seq))
      return changed(counted, id, chat => changedLast(chat, event.data.message))
    }
    case "chat.updated":
      return changed(world, id, chat => ({ ...chat, ...event.data.chat }))
    case "chat.deleted":
      return without(world, id)
    case "member.joined":
      return joined(world, event)
    case "member.left":
      if (event.data.member.user_id === world.me.id) return without(world, id)
      return changed(world, id, chat => ({ ...chat, ...event.data.chat }))
    case "member.role_changed":
      return changed(world, id, chat => ({ ...chat, ...event.data.chat }))
    case "preferences.updated": {
      const { starred, muted } = event.data.preferences
      return changed(world, id, chat => ({ ...chat, starred, muted }))
    }
    default:
      // A newer server sends events that this client does not know.
      return world
  }
}

function changed(world: World, id: number, change: (chat: Chat) => Chat): World {
  const chat = world.chats.get(id)
  return chat === undefined ? world : { ...world, chats: new Map(world.chats).set(id, change(chat)) }
}

function without(world: World, id: number): World {
  const chats = new Map(world.chats)
  chats.delete(id)
  const readings = new Map(world.readings)
  readings.delete(id)
  return { ...world, chats, readings }
}

function changedLast(chat: Chat, message: NonNullable<Chat["last_message"]>): Chat {
  return chat.last_message?.id === message.id ? { ...chat, last_message: { ...chat.last_message, ...message } } : chat
}

/** When the person joins, the event contains the complete chat, which replaces the known one. */
function joined(world: World, event: Extract<ChatEvent, { type: "member.joined" }>): World {
  const { member, chat } = event.data
  const met = applySummaries(world, [member.user], event.seq)
  if (member.user_id !== world.me.id || !isWhole(chat))
    return changed(met, event.chat_id, known => ({ ...known, ...chat }))
  const taken = withCounted(met, replaced(countedIn(met, event.chat_id), chat, event.seq))
  return applySummaries(taken, chat.members, event.seq)
}

function isWhole(chat: ChatFacts): chat is Chat {
  return chat.chat_type !== undefined && chat.last_read_number !== undefined
}
