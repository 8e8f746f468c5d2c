/** Makes an invitation: a link to hand on. */

import { call } from "../api.js";
import { make } from "../element.js";
import { openDialog } from "./dialog.js";

const WORDS = { member: "Member", guest: "Guest: sees only the chats they are added to", admin: "Admin" };

/** Who may invite; the server decides, this only hides the button. */
export function mayInvite(me) {
  return me.role === "owner" || me.role === "admin";
}

export function openInvite(workspace) {
  const roles = Object.entries(WORDS).map(([role, words]) => make("option", { value: role }, words));
  openDialog({
    title: `Invite to ${workspace.name}`,
    fields: [
      make("label", {}, "They join as", make("select", { name: "role" }, ...roles)),
      make("label", {}, "For how many people", make("input", { name: "max_uses", type: "number", value: "1", min: "1", max: "1000", required: true })),
      make("label", {}, "Only for this e-mail address ", make("small", {}, "optional"), make("input", { name: "email", type: "email", maxlength: "254", autocomplete: "off" })),
    ],
    action: "Make a link",
    send: async ({ role, email, max_uses: uses }, close) => {
      const wanted = { role, max_uses: Number(uses), ...(email ? { email } : {}) };
      const invitation = await call("POST", "/api/invitations", wanted);
      close();
      showLink(invitation);
    },
  });
}

function showLink({ url, expires_at: expiresAt }) {
  const link = make("input", { readonly: true, value: url, "aria-label": "Invitation link", onfocus: () => link.select() });
  const copy = make("button", { type: "button", class: "main", onclick: () => copyFrom(link, copy) }, "Copy");
  const until = expiresAt ? ` It is good until ${new Date(expiresAt).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}.` : "";
  openDialog({
    title: "Send this link",
    fields: [make("p", {}, `Whoever opens it can join.${until} It is shown only now.`), make("p", { class: "link" }, link, copy)],
  });
  link.focus();
}

/** The clipboard is closed to pages that came over plain http from another machine; then the link stands marked. */
async function copyFrom(link, button) {
  link.select();
  try {
    await navigator.clipboard.writeText(link.value);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Press Ctrl+C";
  }
}
