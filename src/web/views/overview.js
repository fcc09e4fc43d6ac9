// SPDX-License-Identifier: Apache-2.0
// Hosts, what moves now, what waits and why, and every VM. The filters stand in the address.
import { button, field, h, setShown, setText, table } from "../dom.js";
import * as facts from "../facts.js";
import { bytes, count, ms, percent, rate } from "../format.js";
import { address, setQuery } from "../router.js";
import { offer } from "../session.js";
import { keyOf } from "../store.js";
import { virtualList } from "../virtual.js";

const migrationAddress = m => address(["migration", m.metadata.namespace, m.metadata.name]);
const vmAddress = vm => address(["vm", vm.metadata.namespace, vm.metadata.name]);

function hostsTable(app) {
  const moving = () => [...app.store.migrations.items.values()].filter(facts.isMoving);
  return table("Hosts", [
    { label: "Host", head: true, of: n => n.metadata.name, link: n => address([], { host: n.metadata.name }) },
    { label: "State", of: n => [facts.hostState(n), ...facts.hostCauses(n)].join(": ") },
    { label: "VMs", class: "number", of: n => n.status?.runningVMs ?? "" },
    {
      label: "Memory of VMs", class: "number", of(n) {
        const { used, all } = facts.hostMemory(n);
        return all ? `${bytes(used ?? 0)} of ${bytes(all)}` : "";
      },
    },
    { label: "Network", class: "number", of: n => facts.hostSpeed(n) ? `${facts.hostSpeed(n)} Mbit/s` : "" },
    { label: "In", class: "number", of: n => moving().filter(m => facts.target(m) === n.metadata.name).length },
    { label: "Out", class: "number", of: n => moving().filter(m => facts.source(m) === n.metadata.name).length },
    { label: "Drain", of: () => "Drain", link: n => address(["drain", n.metadata.name]) },
  ]);
}

function movingTable() {
  return table("Migrations that are under way", [
    { label: "VM", head: true, of: m => m.spec.vmiName, link: migrationAddress },
    { label: "From", of: facts.source },
    { label: "To", of: facts.target },
    { label: "Phase", of: facts.phase },
    { label: "Done", class: "number", of: m => percent(facts.percentDone(m)) },
    { label: "Remaining", class: "number", of: m => bytes(facts.of(m, "status.progress.dataRemainingBytes")) },
    { label: "Rate", class: "number", of: m => rate(facts.of(m, "status.progress.memoryTransferRateBytesPerSecond")) },
    { label: "Dirty rate", class: "number", of: m => rate(facts.of(m, "status.progress.dirtyRateBytesPerSecond")) },
    { label: "Elapsed", class: "number", of: m => ms(facts.of(m, "status.progress.elapsedMs")) },
  ]);
}

function queueTable() {
  return table("Migrations that wait", [
    { label: "VM", head: true, of: m => m.spec.vmiName, link: migrationAddress },
    { label: "Place", class: "number", of: m => m.status?.queue?.position ?? "" },
    { label: "To", of: facts.target },
    { label: "Phase", of: facts.phase },
    { label: "Why it waits", of: facts.why },
  ]);
}

function vmList() {
  const columns = ["Name", "Namespace", "Host", "State", "Memory", "What is wrong"];
  return virtualList("VMs", columns, () => {
    const link = h("a");
    const cells = columns.slice(1).map(() => h("span", { role: "cell" }));
    return { element: h("div", null, h("span", { role: "rowheader" }, link), cells), link, cells };
  }, (row, vm) => {
    if (row.vm === vm)
      return;
    row.vm = vm;
    setText(row.link, vm.metadata.name);
    row.link.setAttribute("href", vmAddress(vm));
    [vm.metadata.namespace, facts.vmHost(vm), facts.vmPhase(vm), bytes(facts.vmMemory(vm)), facts.vmTrouble(vm)]
      .forEach((text, i) => setText(row.cells[i], text));
  });
}

function byName(a, b) {
  return a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : keyOf(a) < keyOf(b) ? -1 : 1;
}

// The sorted, filtered VMs, made anew only where VMs or filters have changed.
function vmFilter(collection) {
  let version = -1, filters = "", chosen = [];
  return wanted => {
    const text = JSON.stringify(wanted);
    if (version === collection.version && filters === text)
      return chosen;
    version = collection.version;
    filters = text;
    const q = wanted.q.toLowerCase();
    chosen = [...collection.items.values()].filter(vm =>
      (!wanted.host || facts.vmHost(vm) === wanted.host) && (!wanted.state || facts.vmPhase(vm) === wanted.state) &&
      (!q || keyOf(vm).toLowerCase().includes(q))).sort(byName);
    return chosen;
  };
}

// For who may see some namespace only.
function namespaceForm(app) {
  const name = h("input", { value: app.store.namespace ?? "" });
  return h("form", {
    class: "row", onsubmit(event) {
      event.preventDefault();
      app.setNamespace(name.value.trim());
    },
  }, field("Show the namespace", name), h("button", { type: "submit" }, "Show"));
}

export function overview(app, path, query) {
  const filters = { q: query.get("q") ?? "", host: query.get("host") ?? "", state: query.get("state") ?? "" };
  const hosts = hostsTable(app), moving = movingTable(), queue = queueTable(), list = vmList();
  const choose = vmFilter(app.store.vms);
  const told = { hosts: h("p", { class: "quiet" }), moving: h("p", { class: "quiet" }), queue: h("p", { class: "quiet" }), vms: h("p", { class: "quiet", role: "status" }) };
  const denied = h("div", { hidden: true }, h("p", null, "You may not see the VMs of all namespaces."), namespaceForm(app));
  const q = h("input", { type: "search", value: filters.q });
  const host = h("input", { value: filters.host, list: "hosts" });
  const state = h("select", null, ["", "Running", "Paused", "Stopped", "Crashed", "Unknown"].map(s => h("option", { value: s }, s || "any")));
  state.value = filters.state;
  const names = h("datalist", { id: "hosts" });

  function filtered() {
    Object.assign(filters, { q: q.value.trim(), host: host.value.trim(), state: state.value });
    setQuery(filters);
    update();
  }
  for (const control of [q, host, state])
    control.addEventListener("input", filtered);

  function update() {
    const { store } = app;
    const nodes = [...store.hosts.items.values()].sort(byName);
    const all = [...store.migrations.items.values()];
    const go = all.filter(facts.isMoving).sort(byName);
    const wait = all.filter(facts.isWaiting).sort((a, b) =>
      (a.status?.queue?.position ?? 1e9) - (b.status?.queue?.position ?? 1e9) || byName(a, b));
    hosts.update(nodes, keyOf);
    moving.update(go, keyOf);
    queue.update(wait, keyOf);
    setShown(hosts.element, nodes.length > 0);
    setShown(moving.element, go.length > 0);
    setShown(queue.element, wait.length > 0);
    setText(told.hosts, nodes.length ? "" : store.hosts.state === "loading" ? "" : store.hosts.state === "forbidden" ? "You may not see hosts." : "No host has joined yet.");
    setText(told.moving, go.length ? "" : "Nothing moves.");
    setText(told.queue, wait.length ? "" : "Nothing waits.");
    if (names.childElementCount !== nodes.length)
      names.replaceChildren(...nodes.map(n => h("option", { value: n.metadata.name })));
    const vms = choose(filters);
    list.setItems(vms);
    setText(told.vms, vms.length === store.vms.items.size ? count(vms.length, "VM") : `${vms.length} of ${count(store.vms.items.size, "VM")}`);
    setShown(denied, store.vms.state === "forbidden" || !!store.namespace);
  }

  const element = h("div", { class: "overview" },
    h("section", { "aria-labelledby": "s-moving" }, h("h2", { id: "s-moving" }, "Moving now"), told.moving, moving.element),
    h("section", { "aria-labelledby": "s-queue" }, h("h2", { id: "s-queue" }, "Queue"), told.queue, queue.element),
    h("section", { "aria-labelledby": "s-hosts" }, h("h2", { id: "s-hosts" }, "Hosts"), told.hosts, hosts.element),
    h("section", { "aria-labelledby": "s-vms" }, h("h2", { id: "s-vms" }, "VMs"), denied,
      h("div", { class: "row" }, field("Name", q), field("Host", host), field("State", state), names), told.vms, list.element));
  return { title: "Overview", element, update, close: list.close };
}
