/** What people, chats and times are called on the screen. */

const SHOWN = 3;
const TINTS = 8;

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** A chat's title: its name, or the names of the others in it. */
export function chatTitle(chat, me) {
  if (chat.name) return chat.name;
  const others = chat.members.filter((member) => member.id !== me.id);
  if (others.length === 0) return "Only you";
  const more = chat.member_count - 1 - Math.min(others.length, SHOWN);
  const names = others.slice(0, SHOWN).map((member) => member.fullname);
  if (names.length === 1) return names[0];
  // Each name is set apart, so that scripts of both directions keep their order.
  const list = names.map((name) => `\u2068${name}\u2069`).join(", ");
  return more > 0 ? `${list} and ${more} more` : list;
}

export function isChannel(chat) {
  return chat.chat_type.endsWith("_channel");
}

const KINDS = { single: "Direct chat", group: "Group", private_channel: "Private channel", public_channel: "Public channel" };

/** The line below a chat's title. */
export function chatAbout(chat) {
  const count = chat.chat_type === "single" ? null : `${chat.member_count} ${chat.member_count === 1 ? "person" : "people"}`;
  const archived = chat.archived_at ? "archived" : null;
  return [KINDS[chat.chat_type], count, archived, chat.description].filter(Boolean).join(" · ");
}

/** One or two letters for a person's picture. */
export function initials(fullname) {
  const words = fullname.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0] ?? "").join("").toUpperCase();
}

/** The style class of a person's colour. */
export function tint(id) {
  return `tint-${id % TINTS}`;
}

export function clockTime(timestamp) {
  return clock.format(new Date(timestamp));
}

export function wholeTime(timestamp) {
  return whole.format(new Date(timestamp));
}

/** The heading of a day: "Today", a weekday, or a date when it lies in another year. */
export function dayName(timestamp, now = new Date()) {
  const date = new Date(timestamp);
  if (date.toDateString() === now.toDateString()) return "Today";
  return (date.getFullYear() === now.getFullYear() ? day : dayOfYear).format(date);
}
