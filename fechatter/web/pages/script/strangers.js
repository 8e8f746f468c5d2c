/** Learns the names of senders who are in no list: former members, and those of large chats. */

import { call } from "./api.js";

const MOST = 50;

export class Strangers {
  #state;
  #asked = new Set();

  constructor(state) {
    this.#state = state;
  }

  /** Ask for the senders nobody told of, each once; after a failure again at the next change. */
  async meet(messages) {
    const unknown = [...new Set(messages.map((message) => message.sender_id))]
      .filter((id) => !this.#state.people.has(id) && !this.#asked.has(id))
      .slice(0, MOST);
    if (unknown.length === 0) return;
    unknown.forEach((id) => this.#asked.add(id));
    try {
      const page = await call("GET", `/api/users?limit=${MOST}&ids=${unknown.join(",")}`);
      this.#state.meet(...page.items);
    } catch (error) {
      console.warn("names of senders could not be read", error);
      unknown.forEach((id) => this.#asked.delete(id));
    }
  }
}
