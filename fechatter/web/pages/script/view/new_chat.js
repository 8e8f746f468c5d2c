/** Dialogs that make chats: a channel by its name, a direct chat by the people in it. */

import { call } from "../api.js";
import { make } from "../element.js";
import { newKey } from "../key.js";
import { openDialog } from "./dialog.js";
import { PeoplePicker } from "./people_picker.js";

/** `made(chat)` takes the new chat. */
export function openNewChannel(made) {
  const isPrivate = make("input", { type: "checkbox", name: "private" });
  const create = creator();
  openDialog({
    title: "New channel",
    fields: [
      make("label", {}, "Name", make("input", { name: "name", required: true, maxlength: "128", autocomplete: "off", autofocus: true })),
      make("label", {}, "What it is for ", make("small", {}, "optional"), make("input", { name: "description", maxlength: "1000", autocomplete: "off" })),
      make("label", { class: "choice" }, isPrivate, "Private: only people who are added see it"),
    ],
    action: "Make the channel",
    send: async ({ name, description }, close) => {
      const chatType = isPrivate.checked ? "private_channel" : "public_channel";
      made(await create({ chat_type: chatType, name, description }));
      close();
    },
  });
}

/** One other person makes a direct chat, two or more a group. */
export function openNewDirect(me, made) {
  const picker = new PeoplePicker([me.id]);
  const create = creator();
  openDialog({
    title: "New direct chat",
    fields: [make("p", {}, "With one person, or several for a group."), ...picker.elements],
    action: "Start",
    send: async (_, close) => {
      const members = [...picker.picked.keys()];
      if (members.length === 0) throw new Error("Pick somebody first.");
      made(await create({ chat_type: members.length === 1 ? "single" : "group", members }));
      close();
    },
  });
}

/** Bring more people into a chat. */
export function openAddPeople(chat) {
  const picker = new PeoplePicker(chat.members.map((member) => member.id));
  openDialog({
    title: "Add people",
    fields: picker.elements,
    action: "Add",
    send: async (_, close) => {
      if (picker.picked.size === 0) throw new Error("Pick somebody first.");
      await call("POST", `/api/chat/${chat.id}/members`, { members: [...picker.picked.keys()] });
      close();
    },
  });
}

/** A function that makes a chat once, however often it has to ask; other words are another chat, with another key. */
function creator() {
  let last = null;
  let key = null;
  return (wanted) => {
    const words = JSON.stringify(wanted);
    if (words !== last) key = newKey();
    last = words;
    return call("POST", "/api/chat", { ...wanted, idempotency_key: key });
  };
}
