/**
 * What is known of the workspace: the person, its chats, its people. Starts from `/api/sync` and follows the events.
 *
 * Every object remembers the position it was read at, and events up to there are not applied to it again.
 */

import { seqOf } from "./cursor.js";

export class State {
  me = null;
  workspace = null;
  /** Chat id -> Chat, as the server gives it. */
  chats = new Map();
  /** User id -> User or UserSummary. */
  people = new Map();
  #positions = new Map();
  #loadedAt = 0;
  #changed;

  /** `changed()` is called after every change. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Begin anew from an answer of `/api/sync`. */
  load({ cursor, me, workspace, chats }) {
    this.#loadedAt = seqOf(cursor);
    this.me = me;
    this.workspace = workspace;
    this.chats = new Map(chats.map((chat) => [chat.id, chat]));
    this.#positions = new Map();
    this.meet(me);
    for (const chat of chats) this.meet(...chat.members);
    this.#changed();
  }

  /** Learn who these people are. */
  meet(...people) {
    for (const person of people) this.people.set(person.id, { ...this.people.get(person.id), ...person });
    if (people.length) this.#changed();
  }

  /** Show a chat that was just made or joined, until its own event brings it. */
  add(chat) {
    if (this.chats.has(chat.id)) return;
    this.chats.set(chat.id, chat);
    this.meet(...chat.members);
    this.#changed();
  }

  /** Apply one durable event; returns whether it was news. */
  apply(event) {
    const known = event.chat_id === null ? this.#loadedAt : (this.#positions.get(event.chat_id) ?? this.#loadedAt);
    if (event.seq <= known) return false;
    APPLY[event.type]?.(this, event);
    this.#changed();
    return true;
  }

  /** The read mark moved, here or on another device; it only goes forward. */
  read(chatId, number) {
    const chat = this.chats.get(chatId);
    if (chat === undefined || number <= chat.last_read_number) return;
    this.change(chatId, { last_read_number: number });
    this.#changed();
  }

  /** Merge new facts into a chat, if it is known. */
  change(chatId, facts) {
    const chat = this.chats.get(chatId);
    if (chat === undefined) return;
    const changed = { ...chat, ...facts };
    changed.unread_count = Math.max(0, changed.last_number - changed.last_read_number);
    this.chats.set(chatId, changed);
  }

  /** Take a whole chat as of an event, in place of what was had of it. */
  replace(chat, seq) {
    this.#positions.set(chat.id, seq);
    this.chats.set(chat.id, chat);
    this.meet(...chat.members);
  }

  forget(chatId) {
    this.chats.delete(chatId);
    this.#positions.delete(chatId);
  }
}

/** Event type -> how it changes the state. */
const APPLY = {
  "message.created": (state, { chat_id: chatId, data: { message } }) => {
    const facts = { last_number: message.number, last_message: message };
    if (message.sender_id === state.me.id) facts.last_read_number = message.number;
    state.change(chatId, facts);
  },
  "message.edited": changeLastMessage,
  "message.deleted": changeLastMessage,
  "chat.updated": (state, { chat_id: chatId, data: { chat } }) => state.change(chatId, chat),
  "chat.deleted": (state, { chat_id: chatId }) => state.forget(chatId),
  "member.joined": (state, { chat_id: chatId, seq, data: { member, chat } }) => {
    state.meet(member.user);
    if (member.user_id === state.me.id) state.replace(chat, seq);
    else state.change(chatId, chat);
  },
  "member.left": (state, { chat_id: chatId, data: { member, chat } }) => {
    if (member.user_id === state.me.id) state.forget(chatId);
    else state.change(chatId, chat);
  },
  "member.role_changed": (state, { chat_id: chatId, data: { chat } }) => state.change(chatId, chat),
  "user.joined": changePerson,
  "user.updated": changePerson,
  "user.disabled": changePerson,
  "workspace.updated": (state, { data: { workspace } }) => {
    state.workspace = { ...state.workspace, ...workspace };
  },
};

function changeLastMessage(state, { chat_id: chatId, data: { message } }) {
  const last = state.chats.get(chatId)?.last_message;
  if (last?.id === message.id) state.change(chatId, { last_message: { ...last, ...message } });
}

function changePerson(state, { data: { user } }) {
  state.meet(user);
  if (user.id === state.me.id) state.me = { ...state.me, ...user };
}
