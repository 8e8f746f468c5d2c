/** A person's picture: initials on a colour of their own. */

import { make } from "../element.js";
import { initials, tint } from "../names.js";

export function avatar(person) {
  return make("span", { class: `avatar ${tint(person.id)}`, "aria-hidden": "true" }, initials(person.fullname));
}
