/** `/setup#token=…`: the first owner and workspace. */

import { byId, make, tell } from "../element.js";
import { onSend } from "../form.js";
import { request } from "../http.js";
import { signUp } from "../session.js";

const token = new URLSearchParams(location.hash.slice(1)).get("token");
const form = byId("form");

onSend(form, async (values) => {
  await signUp({ ...values, setup_token: token });
  location.replace("/");
});

/** Say why this link leads no further, in place of the form. */
function refuse(text, ...more) {
  form.hidden = true;
  form.before(byId("problem"));
  tell(byId("problem"), text);
  byId("problem").append(...more);
}

async function lookUp() {
  const { body } = await request("GET", "/api/server");
  if (body.set_up) refuse("This link has been used. ", make("a", { href: "/signin" }, "Sign in"));
}

if (!token) refuse("This link is not whole. Copy all of it from where the server was started.");
else lookUp().catch((error) => tell(byId("problem"), error.message));
