/** `/setup#token=…`: the first owner and workspace. */

import { byId, tell } from "../element.js";
import { onSend } from "../form.js";
import { signUp } from "../session.js";

const token = new URLSearchParams(location.hash.slice(1)).get("token");
const form = byId("form");

if (!token) {
  form.hidden = true;
  form.before(byId("problem"));
  tell(byId("problem"), "This link is not whole. Copy all of it from where the server was started.");
}

onSend(form, async (values) => {
  await signUp({ ...values, setup_token: token });
  location.replace("/");
});
