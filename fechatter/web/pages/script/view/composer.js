/** Where one writes. Enter sends and Shift+Enter breaks the line; where there is no keyboard, Enter breaks the line. */

import { byId } from "../element.js";

const NEARLY = 200;

export class Composer {
  #form = byId("composer");
  #text = byId("text");
  #counter = byId("counter");
  #button = byId("send");
  #drafts = new Map();
  #chatId = null;
  #most;

  /** `send(chatId, content)` takes what was written; `most` is the limit in characters. */
  constructor(send, most) {
    this.#most = most;
    this.#text.addEventListener("input", () => this.#measure());
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#button.disabled) return;
      send(this.#chatId, this.#content());
      this.#text.value = "";
      this.#measure();
    });
  }

  /** Write in this chat; what was begun in another waits there. */
  open(chatId, title) {
    this.#drafts.set(this.#chatId, this.#text.value);
    this.#chatId = chatId;
    this.#text.value = this.#drafts.get(chatId) ?? "";
    this.#text.placeholder = `Message ${title}`;
    this.#measure();
  }

  /** Hide it where nobody may write. */
  allow(isAllowed) {
    if (this.#form.hidden !== isAllowed) return;
    this.#form.hidden = !isAllowed;
    this.#measure();
  }

  /** Where there is no keyboard, the room: the field would bring up one on the screen. */
  focus() {
    (isTouch() ? byId("room") : this.#text).focus();
  }

  #content() {
    return this.#text.value.replace(/\p{Surrogate}/gu, "\ufffd");
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || isTouch()) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #measure() {
    const left = this.#most - [...this.#text.value].length;
    this.#button.disabled = left < 0 || this.#text.value.trim() === "";
    this.#counter.textContent = left < NEARLY ? String(left) : "";
    this.#text.style.height = "";
    // A hidden field has no height to go by.
    if (!this.#form.hidden) this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
  }
}

function isTouch() {
  return matchMedia("(pointer: coarse)").matches;
}
