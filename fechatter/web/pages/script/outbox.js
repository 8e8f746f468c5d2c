/**
 * Messages on their way. Each has its idempotency key from the first try to the last, so that however often it is sent
 * it is kept once; those of one chat go one after the other.
 */

import { call } from "./api.js";
import { newKey } from "./key.js";
import { SignedOut } from "./session.js";
import { Pause, pauseMs } from "./wait.js";

export class Outbox {
  /** `{key, chatId, content, state: "sending" | "waiting" | "failed", problem, number}` in the order of writing. */
  items = [];
  #running = new Set();
  #pause = new Map();
  #sent;
  #changed;

  /** `sent(message)` takes what the server stored; `changed()` is called after every change. */
  constructor(sent, changed) {
    this.#sent = sent;
    this.#changed = changed;
  }

  of(chatId) {
    return this.items.filter((item) => item.chatId === chatId);
  }

  add(chatId, content) {
    this.items.push({ key: newKey(), chatId, content, state: "sending", problem: null, number: null });
    this.#run(chatId);
  }

  /** Send a refused message again. */
  retry(item) {
    item.state = "sending";
    this.#run(item.chatId);
  }

  discard(item) {
    this.items = this.items.filter((other) => other !== item);
    this.#changed();
  }

  /** The network is back. */
  wake() {
    for (const pause of this.#pause.values()) pause.wake();
  }

  /** An own message came live before its answer: it need not be shown twice. */
  echo(message) {
    const item = this.#next(message.chat_id);
    if (item?.number === null && item.content === message.content) item.number = message.number;
  }

  async #run(chatId) {
    this.#changed();
    if (this.#running.has(chatId)) return;
    this.#running.add(chatId);
    let item;
    while ((item = this.#next(chatId)) !== undefined) await this.#send(item);
    this.#running.delete(chatId);
    this.#changed();
  }

  /** The first one on its way; a refused one lets those behind it pass. */
  #next(chatId) {
    return this.of(chatId).find((item) => item.state !== "failed");
  }

  async #send(item) {
    for (let failures = 1; this.items.includes(item) && item.state !== "failed"; failures += 1) {
      try {
        item.state = "sending";
        this.#changed();
        const body = { content: item.content, idempotency_key: item.key };
        this.#sent(await call("POST", `/api/chat/${item.chatId}/messages`, body));
        this.items = this.items.filter((other) => other !== item);
        return;
      } catch (error) {
        await this.#failed(item, error, failures);
      }
    }
  }

  async #failed(item, error, failures) {
    item.problem = error instanceof SignedOut ? "Sign in again to send this." : error.message;
    item.state = error.isTemporary ? "waiting" : "failed";
    this.#changed();
    if (!error.isTemporary) return;
    const pause = new Pause();
    this.#pause.set(item.key, pause);
    await pause.sleep(pauseMs(failures, error.retryAfterSeconds));
    this.#pause.delete(item.key);
  }
}
