/** `/signin`: e-mail and password, and the workspace when they fit several. */

import { byId, make } from "../element.js";
import { onSend } from "../form.js";
import { signIn } from "../session.js";

const choice = byId("workspaces");

onSend(byId("form"), async (values) => {
  try {
    await signIn(values);
  } catch (error) {
    if (error.code !== "workspace_required") throw error;
    ask(error.body.workspaces);
    return;
  }
  location.replace("/");
});

function ask(workspaces) {
  choice.replaceChildren(choice.querySelector("legend"), ...workspaces.map(option));
  choice.hidden = false;
  choice.querySelector("input").focus();
}

function option({ slug, name }, place) {
  const input = make("input", { type: "radio", name: "workspace", value: slug, checked: place === 0 });
  return make("label", { class: "choice" }, input, name);
}
