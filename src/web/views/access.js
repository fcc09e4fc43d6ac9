// SPDX-License-Identifier: Apache-2.0
// Users with their credentials, and certificates; for who may see them.
import { get, list, pathOf, post, reasonsOf } from "../api.js";
import { button, h, notice, replace, setShown, table } from "../dom.js";
import { fullTime } from "../format.js";
import { may } from "../session.js";

export function access() {
  const told = notice();
  const users = h("section", { hidden: true }), certificates = h("section", { hidden: true });
  let closed = false;

  async function revoke(user, id) {
    try {
      await post(pathOf("users", null, user, "revoke"), { id });
      told.say(`The credential ${id} of ${user} is void.`);
      await loadUsers();
    } catch (error) {
      told.say(reasonsOf(error).join("; "), true);
    }
  }

  async function loadUsers() {
    const { items } = await list(pathOf("users"));
    const mayRevoke = await may("create", "users", "revoke");
    const rows = items.flatMap(u => (u.status?.credentials?.length ? u.status.credentials : [{}]).map(c => ({ user: u.metadata.name, groups: u.spec?.groups ?? [], ...c })));
    if (closed)
      return;
    replace(users, h("h2", null, "Users"), rows.length ? h("table", null, h("caption", { class: "unseen" }, "Users and their credentials"),
      h("thead", null, h("tr", null, ["User", "Groups", "Type", "Credential", "Ends", ""].map(t => h("th", { scope: "col" }, t)))),
      h("tbody", null, rows.map(r => h("tr", null, h("th", { scope: "row" }, r.user), h("td", { "data-label": "Groups" }, r.groups.join(", ")), h("td", { "data-label": "Type" }, r.type ?? "none"),
        h("td", { "data-label": "Credential" }, r.id ?? ""), h("td", { "data-label": "Ends" }, fullTime(r.expiresAt)),
        h("td", null, r.id && mayRevoke ? button("Revoke", () => revoke(r.user, r.id), { "aria-label": `Revoke ${r.id} of ${r.user}` }) : null))))) : h("p", { class: "quiet" }, "None."));
    setShown(users, true);
  }

  async function loadCertificates() {
    const { certificates: items } = await get(pathOf("certificates"));
    const all = table("Certificates", [
      { label: "Of", head: true, of: c => c.subject }, { label: "What", of: c => c.kind },
      { label: "Serial", of: c => c.serial }, { label: "Ends", of: c => fullTime(c.endsAt) }, { label: "State", of: c => [c.state, c.reason].filter(Boolean).join(": ") },
    ]);
    all.update(items ?? [], c => JSON.stringify(c));
    if (closed)
      return;
    replace(certificates, h("h2", null, "Certificates"), all.element);
    setShown(certificates, true);
  }

  Promise.allSettled([
    may("list", "users").then(allowed => allowed && loadUsers()),
    may("list", "certificates").then(allowed => allowed && loadCertificates()),
  ]).then(results => {
    const bad = results.find(r => r.status === "rejected");
    if (bad && !closed)
      told.say(bad.reason.message, true);
  });
  return {
    title: "Access", element: h("div", null, told.element, users, certificates),
    close() {
      closed = true;
    },
  };
}
