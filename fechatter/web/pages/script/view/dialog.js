/** Dialogs: one form each, made when opened and gone when closed. */

import { make } from "../element.js";
import { onSend } from "../form.js";

let count = 0;

/**
 * Open a dialog with these fields. `send(values, close)` is called when its form is sent; without it there is only
 * a button to close. Returns the dialog.
 */
export function openDialog({ title, fields, action, send }) {
  const id = `dialog-${(count += 1)}`;
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const close = () => dialog.close();
  const buttons = make(
    "p",
    { class: "buttons" },
    make("button", { type: "button", onclick: close }, send ? "Cancel" : "Close"),
    send ? make("button", { class: "main" }, action) : null,
  );
  const form = make("form", { method: "post", novalidate: true }, make("h2", { id }, title), ...fields, problem, buttons);
  const dialog = make("dialog", { "aria-labelledby": id, onclose: () => dialog.remove() }, form);
  if (send) onSend(form, (values) => send(values, close), problem);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
