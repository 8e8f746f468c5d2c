/** Picks people of the workspace: type a part of a name, tick who is meant; those ticked stay while one goes on typing. */

import { call } from "../api.js";
import { make, tell } from "../element.js";
import { avatar } from "./avatar.js";

const TYPING_MS = 150;

export class PeoplePicker {
  picked = new Map();
  #found = make("ul", { class: "people", "aria-label": "People" });
  #problem = make("p", { class: "problem", role: "alert", hidden: true });
  #hidden;
  #timer = null;
  #asked = 0;

  /** `hidden` are the ids of people not to be offered. */
  constructor(hidden) {
    this.#hidden = new Set(hidden);
    this.#search("");
  }

  get elements() {
    const input = make("input", { type: "search", autocomplete: "off", autofocus: true, oninput: () => this.#typed(input.value) });
    return [make("label", {}, "Name", input), this.#problem, this.#found];
  }

  #typed(text) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(text.trim()), TYPING_MS);
  }

  async #search(text) {
    const number = (this.#asked += 1);
    try {
      const page = await call("GET", `/api/users?limit=50${text ? `&q=${encodeURIComponent(text)}` : ""}`);
      if (number === this.#asked) this.#show(page.items);
    } catch (error) {
      tell(this.#problem, error.message);
    }
  }

  #show(people) {
    tell(this.#problem, null);
    const others = people.filter((person) => !this.#hidden.has(person.id) && !person.disabled && !this.picked.has(person.id));
    const lines = [...this.picked.values(), ...others].map((person) => this.#line(person));
    this.#found.replaceChildren(...(lines.length ? lines : [make("li", { class: "nothing" }, "Nobody of that name.")]));
  }

  #line(person) {
    const tick = make("input", { type: "checkbox", checked: this.picked.has(person.id) });
    tick.addEventListener("change", () => {
      if (tick.checked) this.picked.set(person.id, person);
      else this.picked.delete(person.id);
    });
    const names = [make("bdi", {}, person.fullname), make("small", {}, `@${person.handle}`)];
    return make("li", {}, make("label", { class: "choice" }, tick, avatar(person), ...names));
  }
}
