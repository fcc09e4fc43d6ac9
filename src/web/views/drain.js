// SPDX-License-Identifier: Apache-2.0
// Drain: empty a host, see each VM of it go, and let the host take VMs again. The server does the
// work, as an Evacuation; closing the page stops nothing.
import { del, merge, pathOf, post, reasonsOf } from "../api.js";
import { button, field, h, keyed, notice, replace, setShown, setText, table } from "../dom.js";
import * as facts from "../facts.js";
import { count, time } from "../format.js";
import { address } from "../router.js";
import { offer } from "../session.js";

const ENDED = ["Succeeded", "Failed"];
const isOver = e => ENDED.includes(e.status?.phase);

function evacuationPart() {
  const title = h("h3"), said = h("p"), bar = h("progress", { max: "1", value: 0 });
  const vms = table("VMs of this drain", [
    { label: "VM", head: true, of: v => v.name, link: v => v.migration ? address(["migration", v.namespace, v.migration]) : address(["vm", v.namespace, v.name]) },
    { label: "State", of: v => v.phase }, { label: "Why", of: v => v.message ?? "" },
  ]);
  return {
    element: h("section", null, title, said, bar, vms.element),
    update(e) {
      const s = e.status ?? {};
      setText(title, `${e.spec.nodeName}: ${s.phase ?? "begins"}`);
      setText(said, [`${s.moved ?? 0} of ${count(s.total ?? 0, "VM")} moved`, s.failed ? `${s.failed} could not be moved` : "",
        s.cancelled ? `${count(s.cancelled, "migration")} to it cancelled` : "", `since ${time(e.metadata.creationTimestamp)}`].filter(Boolean).join(", "));
      bar.setAttribute("aria-label", `Drain of ${e.spec.nodeName}`);
      bar.max = Math.max(1, s.total ?? 1);
      bar.value = (s.moved ?? 0) + (s.failed ?? 0);
      vms.update(s.vms ?? [], v => `${v.namespace}/${v.name}`);
    },
  };
}

async function begin(app, name, told) {
  try {
    await post(pathOf("evacuations"), { apiVersion: "ferry.migration/v1", kind: "Evacuation", metadata: { generateName: `${name}-` }, spec: { nodeName: name } });
    told.say(`${name} is being drained.`);
    app.store.evacuations.refresh();
  } catch (error) {
    told.say(reasonsOf(error).join("; "), true);
  }
}

async function bringBack(app, name, told) {
  try {
    await merge(pathOf("nodes", null, name), { spec: { unschedulable: null } });
    for (const e of app.store.evacuations.items.values())
      if (e.spec.nodeName === name)
        await del(pathOf("evacuations", null, e.metadata.name)).catch(error => {
          if (error.status !== 404)
            throw error;
        });
    told.say(`${name} takes VMs again. What waited is cancelled, what moves goes on.`);
    app.store.evacuations.refresh();
    app.store.hosts.refresh();
  } catch (error) {
    told.say(reasonsOf(error).join("; "), true);
  }
}

// What the drain would meet: the VMs there, and those of them that cannot move.
function showPlan(app, name, list) {
  const vms = [...app.store.vms.items.values()].filter(vm => facts.vmHost(vm) === name && facts.vmPhase(vm) === "Running");
  const stuck = vms.filter(vm => facts.condition(vm, "LiveMigratable")?.status === "False");
  replace(list, h("li", null, `${count(vms.length, "VM")} would move`),
    stuck.map(vm => h("li", { class: "bad" }, h("a", { href: address(["vm", vm.metadata.namespace, vm.metadata.name]) }, vm.metadata.name), ` cannot: ${facts.vmTrouble(vm)}`)));
}

export function drain(app, [wanted]) {
  const told = notice();
  const host = h("select", { onchange: () => update() });
  const before = h("ul");
  const list = h("div");
  const updateList = keyed(list, evacuationPart);
  const none = h("p", { class: "quiet" }, "No host is being drained.");

  let names = "", planned = "";
  function update() {
    const all = [...app.store.hosts.items.values()].map(n => n.metadata.name).sort();
    if (all.join() !== names) {
      names = all.join();
      const chosen = host.value || wanted;
      host.replaceChildren(...all.map(n => h("option", { value: n }, n)));
      if (all.includes(chosen))
        host.value = chosen;
    }
    const now = `${app.store.vms.version} ${host.value}`;
    if (now !== planned) {
      planned = now;
      showPlan(app, host.value, before);
    }
    const evacuations = [...app.store.evacuations.items.values()].sort((a, b) => a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1);
    updateList(evacuations, e => e.metadata.uid);
    setShown(none, !evacuations.some(e => !isOver(e)));
  }

  const acts = h("div", { class: "row" }, button("Drain it", () => begin(app, host.value, told), { class: "main" }),
    button("Let it take VMs again", () => bringBack(app, host.value, told)));
  const element = h("div", null, h("div", { class: "row" }, field("Host", host), offer(acts, "create", "evacuations")), told.element, before,
    h("h2", null, "Drains"), none, list);
  return { title: "Drain", element, update };
}
