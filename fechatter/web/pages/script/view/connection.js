/** How the live stream stands, in words; the seconds until the next try count down. */

import { byId } from "../element.js";

const WORDS = { connecting: "Connecting…", live: "Live", waiting: "Not connected" };
const element = byId("connection");
let countdown = null;

/** `untilMs` is when the next try begins, for `waiting`. */
export function showConnection(state, untilMs = null) {
  clearInterval(countdown);
  element.dataset.state = state;
  byId("reconnect").hidden = state !== "waiting";
  if (state === "waiting") {
    element.title = "What you write is kept here and sent when the server is back.";
    countdown = setInterval(() => say(untilMs), 1000);
    say(untilMs);
  } else {
    element.title = "";
    element.textContent = WORDS[state];
  }
}

function say(untilMs) {
  const seconds = Math.ceil((untilMs - Date.now()) / 1000);
  const text = navigator.onLine ? WORDS.waiting : "Offline";
  element.textContent = seconds > 1 ? `${text} · next try in ${seconds} s` : text;
}
