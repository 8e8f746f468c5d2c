/** The chat that is open: its messages on the screen, the place one reads at, and the mark of how far one has read. */

import { call } from "./api.js";
import { byId, tell } from "./element.js";
import { chatAbout, chatTitle } from "./names.js";
import { Timeline } from "./timeline.js";
import { MessageList } from "./view/messages.js";
import { showWaiting } from "./view/waiting.js";

const AT_END_PIXELS = 40;
const PICK = "Pick a chat, or start one.";
const WELCOME = "No chat yet. Make a channel or join one, or write to somebody.";

export class Room {
  timeline = null;
  #state;
  #outbox;
  #changed;
  #list = new MessageList(byId("messages"));
  #scroller = byId("scroller");
  #atEnd = true;
  #marking = false;

  constructor(state, outbox, changed) {
    this.#state = state;
    this.#outbox = outbox;
    this.#changed = changed;
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    byId("older").addEventListener("click", () => this.#older());
    byId("newest").addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(this.#scroller);
  }

  get chat() {
    return this.#state.chats.get(this.timeline?.chatId) ?? null;
  }

  /** Open a chat, or none. */
  open(chatId) {
    this.#list.clear();
    this.#atEnd = true;
    this.timeline = chatId === null ? null : new Timeline(chatId, this.#changed);
    this.timeline?.load();
  }

  toEnd() {
    this.#atEnd = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Bring the screen to what is known. */
  show() {
    const { chat, timeline } = this;
    for (const id of ["room-header", "scroller"]) byId(id).hidden = chat === null;
    tell(byId("nothing"), chat === null && (this.#state.chats.size ? PICK : WELCOME));
    if (chat === null) return;
    tell(byId("room-name"), chatTitle(chat, this.#state.me));
    tell(byId("room-about"), chatAbout(chat));
    for (const id of ["add-people", "leave"]) byId(id).hidden = chat.chat_type === "single";
    byId("older").hidden = !timeline.hasOlder;
    byId("silence").hidden = !timeline.isLoaded || timeline.messages.length > 0 || this.#outbox.of(chat.id).length > 0;
    this.#scroller.setAttribute("aria-busy", String(!timeline.isLoaded));
    tell(byId("timeline-problem"), timeline.problem?.message);
    this.#showMessages();
  }

  #showMessages() {
    const heightBefore = this.#scroller.scrollHeight;
    const topBefore = this.#scroller.scrollTop;
    const firstBefore = byId("messages").firstElementChild;
    this.#list.show(this.timeline.messages, this.#state.people);
    showWaiting(this.#outbox, this.chat.id);
    const grewAbove = firstBefore !== null && byId("messages").firstElementChild !== firstBefore;
    if (this.#atEnd) this.toEnd();
    else if (grewAbove) this.#scroller.scrollTop = topBefore + this.#scroller.scrollHeight - heightBefore;
    byId("newest").hidden = this.#atEnd || this.chat.unread_count === 0;
    this.markRead();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < AT_END_PIXELS;
    if (scrollTop < clientHeight / 2 && this.timeline?.problem === null) this.#older();
    if (this.#atEnd) byId("newest").hidden = true;
    this.markRead();
  }

  #older() {
    if (this.timeline?.isLoaded) this.timeline.loadOlder();
  }

  /** What is on the screen of somebody who is looking counts as read. */
  async markRead() {
    const { chat, timeline } = this;
    const isSeen = document.visibilityState === "visible" && document.hasFocus() && this.#atEnd;
    if (this.#marking || !isSeen || !timeline?.isLoaded || !chat?.unread_count) return;
    this.#marking = true;
    try {
      const number = chat.last_number;
      await call("PUT", `/api/chat/${chat.id}/read`, { number });
      this.#state.read(chat.id, number);
    } catch (error) {
      // The next message or glance tries again; a mark is never worth a warning.
      console.warn("the read mark did not move", error);
    } finally {
      this.#marking = false;
    }
  }
}
