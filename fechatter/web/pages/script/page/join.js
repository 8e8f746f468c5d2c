/** `/join#token=…`: an invitation becomes an account. */

import { byId, tell } from "../element.js";
import { onSend } from "../form.js";
import { Problem, request } from "../http.js";
import { signUp } from "../session.js";

const token = new URLSearchParams(location.hash.slice(1)).get("token");
const form = byId("form");

onSend(form, async (values) => {
  await signUp({ ...values, invitation: token });
  location.replace("/");
});

async function lookUp() {
  const { body } = await request("POST", "/api/invitations/lookup", { body: { token: token ?? "" } });
  const name = body.workspace;
  byId("title").textContent = `Join ${name}`;
  document.title = `Join ${name} - Fechatter`;
  tell(byId("about"), `You are invited to ${name}${body.role === "member" ? "" : ` as ${body.role}`}.`);
  if (body.email) form.elements.email.value = body.email;
  form.hidden = false;
  form.elements.fullname.focus();
}

try {
  await lookUp();
} catch (error) {
  const isOver = error instanceof Problem && !error.isTemporary;
  tell(byId("about"), isOver ? "This invitation is used up, has run out, or its link is not whole. Ask for a new one." : error.message);
}
