/** The messages of the open chat. A message that did not change keeps its element, so that nothing jumps or is read out again. */

import { make } from "../element.js";
import { clockTime, dayName, wholeTime } from "../names.js";
import { avatar } from "./avatar.js";

const SAME_BREATH_MS = 5 * 60_000;

export class MessageList {
  #list;
  /** Number -> {element, message, person, previous}: what was shown, and from what it was made. */
  #shown = new Map();

  constructor(list) {
    this.#list = list;
  }

  clear() {
    this.#shown.clear();
    this.#list.replaceChildren();
  }

  /** Bring the list to `messages`, oldest first. */
  show(messages, people) {
    const before = this.#shown;
    this.#shown = new Map();
    messages.forEach((message, place) => {
      const made = { message, person: people.get(message.sender_id), previous: messages[place - 1]?.id };
      const old = before.get(message.number);
      const element = old && isSame(old, made) ? old.element : draw(message, messages[place - 1], made.person);
      this.#shown.set(message.number, { ...made, element });
    });
    this.#place();
  }

  #place() {
    let next = this.#list.firstElementChild;
    for (const { element } of this.#shown.values()) {
      if (element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(element, next);
    }
    while (next !== null) {
      const following = next.nextElementSibling;
      next.remove();
      next = following;
    }
  }
}

function isSame(old, made) {
  return old.message === made.message && old.person?.fullname === made.person?.fullname && old.previous === made.previous;
}

function draw(message, previous, person = { id: message.sender_id, fullname: "Somebody" }) {
  const isNewDay = !previous || dayName(previous.created_at) !== dayName(message.created_at);
  const goesOn = !isNewDay && isSameBreath(previous, message);
  return make(
    "li",
    { class: goesOn ? "message goes-on" : "message", "data-number": String(message.number) },
    isNewDay ? make("h3", { class: "day" }, dayName(message.created_at)) : null,
    goesOn ? null : avatar(person),
    goesOn ? make("span", { class: "unseen" }, `${person.fullname}: `) : heading(message, person),
    text(message),
  );
}

function isSameBreath(previous, message) {
  return previous.sender_id === message.sender_id && new Date(message.created_at) - new Date(previous.created_at) < SAME_BREATH_MS;
}

function heading(message, person) {
  const time = make("time", { datetime: message.created_at, title: wholeTime(message.created_at) }, clockTime(message.created_at));
  return make("p", { class: "heading" }, make("bdi", { class: "name" }, person.fullname), time);
}

function text(message) {
  if (message.deleted_at) return make("p", { class: "text gone" }, "This message was deleted.");
  const edited = message.edited_at ? make("small", { title: wholeTime(message.edited_at) }, " (edited)") : null;
  return make("p", { class: "text", dir: "auto", title: wholeTime(message.created_at) }, message.content, edited);
}
