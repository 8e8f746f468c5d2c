/** Messages that the server does not have yet, each with how it stands and, once refused, what can be done. */

import { byId, make } from "../element.js";

const WORDS = { sending: "Sending…", waiting: "Not sent yet. Trying again…" };

export function showWaiting(outbox, chatId) {
  const items = outbox.of(chatId).filter((item) => item.state === "failed" || item.number === null);
  byId("waiting").replaceChildren(...items.map((item) => line(item, outbox)));
}

function line(item, outbox) {
  return make("li", { class: `message goes-on ${item.state}` }, make("p", { class: "text", dir: "auto" }, item.content), standing(item, outbox));
}

function standing(item, outbox) {
  if (item.state !== "failed") return make("p", { class: "standing" }, WORDS[item.state]);
  return make(
    "p",
    { class: "standing", role: "alert" },
    `Not sent. ${item.problem} `,
    make("button", { type: "button", class: "quiet", onclick: () => outbox.retry(item) }, "Try again"),
    make("button", { type: "button", class: "quiet", onclick: () => outbox.discard(item) }, "Discard"),
  );
}
