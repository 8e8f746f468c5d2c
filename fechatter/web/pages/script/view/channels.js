/** The directory of public channels: look, and join. */

import { all, call } from "../api.js";
import { make, tell } from "../element.js";
import { openDialog } from "./dialog.js";

/** `opened(chat or id)` takes the channel that was joined or picked. */
export async function openChannels(joined, opened) {
  const list = make("ul", { class: "channels" }, make("li", { class: "nothing" }, "Looking…"));
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const dialog = openDialog({ title: "Public channels", fields: [problem, list] });
  const pick = async (channel) => {
    try {
      if (!channel.joined) joined(await call("POST", `/api/chat/${channel.id}/join`));
      dialog.close();
      opened(channel.id);
    } catch (error) {
      tell(problem, error.message);
    }
  };
  try {
    const channels = await all("/api/channels");
    list.replaceChildren(...(channels.length ? channels.map((channel) => line(channel, pick)) : [make("li", { class: "nothing" }, "There is none yet.")]));
  } catch (error) {
    list.replaceChildren();
    tell(problem, error.message);
  }
}

function line(channel, pick) {
  const people = `${channel.member_count} ${channel.member_count === 1 ? "person" : "people"}`;
  const about = [people, channel.description].filter(Boolean).join(" · ");
  return make(
    "li",
    {},
    make("div", {}, make("strong", { dir: "auto" }, `# ${channel.name}`), make("small", { dir: "auto" }, about)),
    make("button", { type: "button", onclick: () => pick(channel) }, channel.joined ? "Open" : "Join"),
  );
}
