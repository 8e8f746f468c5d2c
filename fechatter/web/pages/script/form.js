/** Forms that send themselves: busy while they do, refusals shown at the fields they are about. */

import { byId, make, tell } from "./element.js";

/**
 * Call `send(values)` when the form is sent and its fields are filled in; what it throws is shown. `problem` is the
 * element for refusals of no field.
 */
export function onSend(form, send, problem = byId("problem")) {
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clear(form, problem);
    if (busy || !isFilledIn(form)) return;
    busy = true;
    form.setAttribute("aria-busy", "true");
    try {
      await send(valuesOf(form));
    } catch (error) {
      showRefusal(form, problem, error);
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
    }
  });
}

/** Show an error at the fields it names, else below the form. */
export function showRefusal(form, problem, error) {
  const rest = [];
  for (const { pointer, detail } of error.errors ?? []) {
    const field = form.elements.namedItem(pointer.slice(1));
    if (field instanceof HTMLElement) mark(field, detail);
    else rest.push(detail);
  }
  const isShown = error.errors?.length > rest.length;
  tell(problem, rest.join(" ") || (isShown ? null : error.message));
  form.querySelector("[aria-invalid]")?.focus();
}

function valuesOf(form) {
  return Object.fromEntries(new FormData(form));
}

function isFilledIn(form) {
  for (const field of form.elements) {
    if (!field.checkValidity()) mark(field, field.validationMessage);
  }
  const wrong = form.querySelector("[aria-invalid]");
  wrong?.focus();
  return wrong === null;
}

function mark(field, text) {
  const id = `${field.name}-problem`;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", id);
  field.after(make("span", { class: "problem", id }, text));
}

function clear(form, problem) {
  tell(problem, null);
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    field.nextElementSibling?.remove();
  }
}
