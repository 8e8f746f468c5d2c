/**
 * The messages of the chat that is open: one unbroken run of numbers, from some message up to the newest.
 *
 * A page, an event and the answer to one's own send may bring the same message in any order; the newest form of it stays.
 */

import { call } from "./api.js";

const PAGE = 50;
const MOST = 2000;

export class Timeline {
  hasOlder = false;
  isLoaded = false;
  /** Why the last load failed, or null. */
  problem = null;
  #byNumber = new Map();
  #loading = null;
  #changed;

  constructor(chatId, changed) {
    this.chatId = chatId;
    this.#changed = changed;
  }

  /** Oldest first. */
  get messages() {
    return [...this.#byNumber.values()].sort((one, other) => one.number - other.number);
  }

  has(number) {
    return this.#byNumber.has(number);
  }

  /** The newest page. Failures show in `problem`. */
  load() {
    return this.#once(async () => {
      const page = await this.#page("");
      this.#byNumber = newestRun(page.items, this.#byNumber);
      this.hasOlder = page.has_older;
      this.isLoaded = true;
    });
  }

  /** The page before the oldest message shown. */
  loadOlder() {
    if (!this.hasOlder) return this.#loading ?? Promise.resolve();
    return this.#once(async () => {
      const page = await this.#page(`&before=${Math.min(...this.#byNumber.keys())}`);
      page.items.forEach((message) => this.#keep(message));
      this.hasOlder = page.has_older;
    });
  }

  /** Take one message, from an event or an answer. */
  take(message) {
    if (this.isLoaded && this.#byNumber.size && message.number < Math.min(...this.#byNumber.keys())) return;
    this.#keep(message);
    this.#limit();
    this.#changed();
    if (this.isLoaded && this.#hasHole()) this.load();
  }

  async #page(place) {
    return call("GET", `/api/chat/${this.chatId}/messages?limit=${PAGE}${place}`);
  }

  #once(work) {
    this.#loading ??= work()
      .then(() => (this.problem = null), (error) => (this.problem = error))
      .finally(() => {
        this.#loading = null;
        this.#changed();
      });
    return this.#loading;
  }

  #keep(message) {
    const known = this.#byNumber.get(message.number);
    if (known === undefined || isNewer(message, known)) this.#byNumber.set(message.number, message);
  }

  #limit() {
    while (this.#byNumber.size > MOST) {
      this.#byNumber.delete(Math.min(...this.#byNumber.keys()));
      this.hasOlder = true;
    }
  }

  /** One's own answer may come before the events of the messages just before it; those then are on their way. */
  #hasHole() {
    const numbers = [...this.#byNumber.keys()];
    return Math.max(...numbers) - Math.min(...numbers) + 1 !== numbers.length;
  }
}

/** The page with what came live beyond it; older messages are kept only when they touch it. */
function newestRun(items, known) {
  const kept = new Map(items.map((message) => [message.number, message]));
  const oldest = items.length ? Math.min(...kept.keys()) : 0;
  for (const [number, message] of known) {
    const there = kept.get(number);
    if (there === undefined ? number > oldest : isNewer(message, there)) kept.set(number, message);
  }
  return kept;
}

function isNewer(message, known) {
  if (known.deleted_at !== null) return false;
  return message.deleted_at !== null || message.revision >= known.revision;
}
