// SPDX-License-Identifier: Apache-2.0
// Policies, networks and the cluster's configuration: seen, tried and changed. What is written is
// judged by ferryd, each field by its name; Try asks the same and changes nothing.
import { del, list, pathOf, request, reasonsOf } from "../api.js";
import { button, h, notice, replace, setShown } from "../dom.js";
import { address, here } from "../router.js";
import { may } from "../session.js";

const KINDS = [
  { plural: "migrationpolicies", title: "Policies", one: "MigrationPolicy", version: "migrations.kubevirt.io/v1alpha1", spec: { selectors: { virtualMachineInstanceSelector: {} } } },
  { plural: "networks", title: "Networks", one: "Network", version: "ferry.migration/v1", spec: { roles: ["migration"], subnets: ["10.0.0.0/24"] } },
  { plural: "kubevirts", title: "The whole cluster", namespace: "kubevirt", one: "KubeVirt", version: "kubevirt.io/v1", spec: {} },
];

// What people write of an object: without what the server adds.
function written(object) {
  const { name, namespace, labels, annotations, resourceVersion } = object.metadata;
  const rest = Object.fromEntries(Object.entries(object).filter(([key]) => !["metadata", "status"].includes(key)));
  return { ...rest, metadata: { name, namespace, labels, annotations, resourceVersion } };
}

function editor(kind, object, done) {
  const told = notice();
  const fresh = !object;
  const start = object ? written(object) : { apiVersion: kind.version, kind: kind.one, metadata: { name: "" }, spec: kind.spec };
  const text = h("textarea", { spellcheck: "false", "aria-label": `${kind.one} as JSON` });
  text.value = JSON.stringify(start, null, 2);
  const problems = h("ul", { class: "bad", role: "alert" });

  async function send(dry) {
    replace(problems);
    told.say("");
    let body;
    try {
      body = JSON.parse(text.value);
    } catch (error) {
      return replace(problems, h("li", null, `not JSON: ${error.message}`));
    }
    const path = pathOf(kind.plural, kind.namespace, fresh ? null : object.metadata.name);
    const query = new URLSearchParams({ fieldValidation: "Strict", ...(dry ? { dryRun: "All" } : {}) });
    try {
      await request(fresh ? "POST" : "PUT", `${path}?${query}`, body);
      if (dry)
        return told.say("It would be taken.");
      done();
    } catch (error) {
      replace(problems, reasonsOf(error).map(reason => h("li", null, reason)));
    }
  }

  async function remove() {
    try {
      await del(pathOf(kind.plural, kind.namespace, object.metadata.name));
      done();
    } catch (error) {
      replace(problems, reasonsOf(error).map(reason => h("li", null, reason)));
    }
  }

  const acts = h("div", { class: "row", hidden: true }, button("Try", () => send(true)), button("Save", () => send(false), { class: "main" }));
  const deletes = h("div", { class: "row", hidden: true }, fresh ? null : button("Delete", remove));
  may(fresh ? "create" : "update", kind.plural, null, kind.namespace).then(allowed => {
    setShown(acts, allowed);
    text.readOnly = !allowed;
  });
  if (!fresh)
    may("delete", kind.plural, null, kind.namespace).then(allowed => setShown(deletes, allowed));
  return h("div", null, h("h2", null, fresh ? `New ${kind.one}` : `${kind.one} ${object.metadata.name}`), text, problems, told.element, acts, deletes,
    h("p", null, h("a", { href: address(["policies"]) }, "Back")));
}

export function policies(app, [plural, name]) {
  const element = h("div");
  let closed = false;

  async function overview() {
    const parts = await Promise.all(KINDS.map(async kind => {
      let items = [], problem = "";
      try {
        ({ items } = await list(pathOf(kind.plural, kind.namespace)));
      } catch (error) {
        problem = error.message;
      }
      const add = h("p", { hidden: true }, h("a", { href: address(["policies", kind.plural, "+"]) }, `New ${kind.one}`));
      may("create", kind.plural, null, kind.namespace).then(allowed => setShown(add, allowed));
      return h("section", null, h("h2", null, kind.title), problem ? h("p", { class: "bad" }, problem) : null,
        items.length ? h("ul", null, items.map(o => h("li", null, h("a", { href: address(["policies", kind.plural, o.metadata.name]) }, o.metadata.name)))) : problem ? null : h("p", { class: "quiet" }, "None."), add);
    }));
    if (!closed)
      replace(element, h("p", { class: "quiet" }, "What holds for one VM, and where each setting of it comes from, stands in the VM's own view."), parts);
  }

  async function edit(kind) {
    const object = name === "+" ? null : await request("GET", pathOf(kind.plural, kind.namespace, name));
    if (!closed)
      replace(element, editor(kind, object, () => {
        location.hash = address(["policies"]);
      }));
  }

  const kind = KINDS.find(k => k.plural === plural);
  (kind && here().path.length > 2 ? edit(kind) : overview()).catch(error => {
    if (!closed)
      replace(element, h("p", { class: "bad", role: "alert" }, error.message));
  });
  return {
    title: "Policies and networks", element,
    close() {
      closed = true;
    },
  };
}
