/** The list of chats, channels by name and direct chats by their last message, with what is unread. */

import { byId, make } from "../element.js";
import { chatTitle, isChannel } from "../names.js";

const SIGNS = { public_channel: "#", private_channel: "", group: "&", single: "@" };
const lists = { channels: byId("channels"), direct: byId("direct") };

export function showChats(state, openId) {
  const chats = [...state.chats.values()];
  const channels = chats.filter(isChannel).sort((one, other) => one.name.localeCompare(other.name) || one.id - other.id);
  const direct = chats.filter((chat) => !isChannel(chat)).sort((one, other) => lastId(other) - lastId(one));
  fill(lists.channels, channels, state, openId, "No channel yet. Browse those there are, or make one.");
  fill(lists.direct, direct, state, openId, "Write to somebody.");
}

/** How many messages are unread in all chats. */
export function countUnread(state) {
  return [...state.chats.values()].reduce((sum, chat) => sum + chat.unread_count, 0);
}

function lastId(chat) {
  return chat.last_message?.id ?? chat.id;
}

function fill(list, chats, state, openId, nothing) {
  const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const lines = chats.map((chat) => line(chat, state.me, chat.id === openId));
  list.replaceChildren(...(lines.length ? lines : [make("li", { class: "nothing" }, nothing)]));
  if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function line(chat, me, isOpen) {
  const unread = chat.unread_count;
  const count = unread ? make("span", { class: "count" }, unread > 99 ? "99+" : String(unread), make("span", { class: "unseen" }, " unread")) : null;
  const title = make("span", { class: "title", dir: "auto" }, chatTitle(chat, me));
  const attributes = { href: `#chat=${chat.id}`, class: unread ? "unread" : "", "aria-current": isOpen ? "page" : null };
  return make("li", {}, make("a", attributes, make("span", { class: `sign ${chat.chat_type}`, "aria-hidden": "true" }, SIGNS[chat.chat_type]), title, count));
}
