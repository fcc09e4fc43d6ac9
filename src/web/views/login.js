// SPDX-License-Identifier: Apache-2.0
// Log in with a token. It is sent once, as the API takes it, and the field is emptied.
import { h, notice } from "../dom.js";
import { logInWithToken } from "../session.js";

export function logIn(begin, why) {
  const told = notice();
  const token = h("input", { type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "token-hint" });
  const form = h("form", {
    class: "login",
    async onsubmit(event) {
      event.preventDefault();
      const text = token.value.trim();
      token.value = "";
      try {
        await logInWithToken(text);
        await begin();
      } catch (error) {
        told.say(error.message, true);
        token.focus();
      }
    },
  }, h("h1", null, "Ferry"), h("label", { class: "field" }, h("span", null, "Token"), token),
  h("p", { id: "token-hint", class: "quiet" }, "A bearer token that ferry user create printed, or your provider's. Or log in from a terminal: ferry web."),
  h("button", { type: "submit" }, "Log in"), told.element);
  if (why)
    told.say(why, true);
  return form;
}
