// SPDX-License-Identifier: Apache-2.0
// A VM, and moving it: every host with all reasons against it as the API's own check gives them
// (dryRun), what would hold for the migration and where that comes from, libvirt's flags from
// their table, and the commands that do the same.
import { get, pathOf, post, reasonsOf } from "../api.js";
import { button, field, h, notice, replace, setShown, setText, table } from "../dom.js";
import * as facts from "../facts.js";
import { bytes, ms, percent, rate, time } from "../format.js";
import { address, go } from "../router.js";
import { may } from "../session.js";

const PLURAL = "virtualmachineinstancemigrations";
let tables = null; // libvirt's flags, asked for once

async function flagTable() {
  tables ??= await get("/web/tables");
  return tables.flags;
}

function manifest(namespace, name, spec) {
  return {
    apiVersion: "kubevirt.io/v1", kind: "VirtualMachineInstanceMigration",
    metadata: { generateName: `${name}-`, namespace }, spec,
  };
}

// ---- commands ----

const word = text => /^[A-Za-z0-9_.:/=@%+,-]+$/.test(text) ? text : `'${String(text).replaceAll("'", "'\\''")}'`;

function ferryCommand(namespace, spec, flags) {
  const words = ["ferry", "migrate", spec.vmiName];
  if (namespace !== "default")
    words.push("-n", namespace);
  if (spec.targetNode)
    words.push("--to", spec.targetNode);
  if (spec.maxDowntimeMs !== undefined)
    words.push("--max-downtime", spec.maxDowntimeMs);
  for (const flag of flags) {
    const value = spec[flag.name];
    if (value === undefined || !flag.option)
      continue;
    if (flag.type === "boolean") {
      const option = value !== flag.inverted ? flag.option : flag.negative;
      if (option)
        words.push(`--${option}`);
    } else {
      for (const one of [value].flat())
        words.push(`--${flag.option}`, one);
    }
  }
  return words.map(word).join(" ");
}

function kubectlCommand(object) {
  return `kubectl create -f - <<'END'\n${JSON.stringify(object, null, 2)}\nEND`;
}

// ---- the check ----

// {host: [reasons]} and what is against all hosts, of a dry run's answer or refusal.
async function check(namespace, spec) {
  const hosts = new Map(), other = [];
  const add = (host, text) => hosts.set(host, [...hosts.get(host) ?? [], text]);
  try {
    const object = await post(`${pathOf(PLURAL, namespace)}?dryRun=All`, manifest(namespace, spec.vmiName, spec));
    for (const refusal of object.status?.refusals ?? [])
      for (const reason of refusal.reasons)
        add(refusal.nodeName, reason.message || reason.reason);
    return { ok: true, hosts, other, object };
  } catch (error) {
    for (const cause of error.causes ?? []) {
      const found = /^nodes\[(.+)\]$/.exec(cause.field ?? "");
      if (found)
        add(found[1], cause.message);
      else
        other.push(cause.field ? `${cause.field}: ${cause.message}` : cause.message);
    }
    if (!error.causes?.length)
      other.push(error.message);
    return { ok: false, hosts, other, object: null };
  }
}

// ---- the form ----

function flagControl(flag) {
  if (flag.type === "boolean") {
    const select = h("select", null, [["", "as it would be"], ["true", "yes"], ["false", "no"]].map(([v, label]) => h("option", { value: v }, label)));
    return { control: select, value: () => select.value === "" ? undefined : select.value === "true" };
  }
  if (flag.values?.length && flag.type === "text") {
    const select = h("select", null, ["", ...flag.values].map(v => h("option", { value: v }, v || "as it would be")));
    return { control: select, value: () => select.value || undefined };
  }
  const input = h("input", flag.type === "integer" ? { type: "number" } : { spellcheck: "false" });
  return {
    control: input,
    value() {
      const text = input.value.trim();
      if (!text)
        return undefined;
      return flag.type === "integer" ? Number(text) : flag.type === "list" ? text.split(/[\s,]+/) : text;
    },
  };
}

function flagForm(flags) {
  const groups = new Map();
  for (const flag of flags)
    groups.set(flag.group, [...groups.get(flag.group) ?? [], { flag, ...flagControl(flag) }]);
  const element = h("details", null, h("summary", null, "libvirt's flags and parameters"),
    [...groups].map(([name, rows]) => h("fieldset", null, h("legend", null, name),
      rows.map(r => field(r.flag.name, r.control, [r.flag.doc, r.flag.default ? ` By default: ${r.flag.default}.` : "", r.flag.libvirt ? ` (${r.flag.libvirt})` : ""].join(""))))));
  return {
    element,
    fill(spec) {
      for (const { flag, value } of [...groups.values()].flat())
        if (value() !== undefined)
          spec[flag.name] = value();
    },
  };
}

function hostChoice(onChange) {
  const element = h("fieldset", { class: "hosts" }, h("legend", null, "To which host"));
  let chosen = "";
  function option(name, label, hint, disabled) {
    const input = h("input", { type: "radio", name: "host", value: name, disabled, onchange: () => {
      chosen = name;
      onChange();
    } });
    input.checked = chosen === name;
    return h("label", null, input, h("span", null, label), hint ? h("small", null, hint) : null);
  }
  return {
    element,
    chosen: () => chosen,
    fill(names, result, current) {
      const focused = document.activeElement?.name === "host" ? document.activeElement.value : null;
      replace(element, h("legend", null, "To which host"), option("", "Ferry chooses", "the best of those that can take it", false),
        names.map(name => {
          const reasons = result?.hosts.get(name) ?? [];
          return option(name, name, reasons.length ? reasons.join("; ") : name === current ? "it runs here" : "it can go there", reasons.length > 0 || name === current);
        }));
      if (focused !== null)
        element.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
    },
  };
}

function applied(object) {
  const configuration = facts.of(object, "status.migrationState.migrationConfiguration") ?? {};
  const origins = object?.status?.configurationOrigins ?? {};
  const names = Object.keys(origins).sort();
  return names.map(name => ({ name, value: configuration[name], origin: origins[name] }));
}

// ---- forecasts ----

function forecastTable() {
  return table("What it would cost, by each way", [
    { label: "How", head: true, of: s => s.name },
    { label: "Allowed", of: s => s.withinIntent ? "yes" : s.permitted ? "beyond what is allowed" : "no" },
    { label: "Total", class: "number", of: s => s.totalMs === undefined ? "never ends" : ms(s.totalMs) },
    { label: "Pause", class: "number", of: s => ms(s.downtimeMs) },
    { label: "Data", class: "number", of: s => bytes(s.dataBytes) },
    { label: "Slowed", class: "number", of: s => s.throttlePercent ? percent(s.throttlePercent) : "" },
  ]);
}

// What was measured by a migration that only reckons.
function forecastPart(app, namespace, told) {
  const costs = forecastTable();
  const note = h("p", { class: "quiet" });
  let name = null;
  return {
    parts: [note, costs.element],
    follow(made) {
      name = made;
      told.say("It is being measured.");
    },
    update() {
      const m = name ? app.store.migrations.get(namespace, name) : null;
      const forecast = m?.status?.forecast;
      costs.update(forecast?.strategies ?? [], s => s.name);
      setShown(costs.element, !!forecast);
      if (forecast)
        setText(note, `Best: ${forecast.best ?? "none within what is allowed"}. Dirty rate ${rate(forecast.dirtyRateBytesPerSecond)}, path ${rate(forecast.bandwidthBytesPerSecond)} (${forecast.bandwidthFrom ?? ""}).`);
      if (m && facts.isFinal(m))
        told.say(facts.succeeded(m) ? "" : facts.why(m), !facts.succeeded(m));
    },
  };
}

// ---- moving it ----

const settingsTable = () => table("What would hold, and where it comes from", [
  { label: "Setting", head: true, of: s => s.name }, { label: "Value", of: s => typeof s.value === "object" ? JSON.stringify(s.value) : s.value ?? "" }, { label: "From", of: s => s.origin },
]);

// What is asked for, what is against it, and the commands that do the same.
function wishPart(app, namespace, name) {
  const pause = h("input", { type: "number", min: "1", inputmode: "numeric", oninput: () => changed() });
  const against = h("ul", { class: "bad" });
  const commands = h("pre", { tabindex: "0", "aria-label": "Commands that do the same" });
  const hosts = hostChoice(() => changed());
  const submit = h("button", { type: "submit", class: "main" }, "Move it");
  const flagPlace = h("div", { onchange: () => changed() });
  const settings = settingsTable();
  let flags = [], form = null, general = null, closed = false, number = 0;

  function wish() {
    const spec = { vmiName: name };
    if (hosts.chosen())
      spec.targetNode = hosts.chosen();
    if (pause.value)
      spec.maxDowntimeMs = Number(pause.value);
    form?.fill(spec);
    return spec;
  }

  function showHosts() {
    hosts.fill([...app.store.hosts.items.values()].map(n => n.metadata.name).sort(), general, facts.vmHost(app.store.vms.get(namespace, name) ?? {}));
  }

  async function changed() {
    const mine = ++number, spec = wish();
    setText(commands, `${ferryCommand(namespace, spec, flags)}\n\n${kubectlCommand(manifest(namespace, name, spec))}`);
    const { targetNode, ...anywhere } = spec;
    const all = await check(namespace, anywhere);
    const one = targetNode ? await check(namespace, spec) : all;
    if (closed || mine !== number)
      return;
    general = all;
    showHosts();
    submit.disabled = !one.ok;
    const reasons = [...one.other, ...(targetNode ? one.hosts.get(targetNode) ?? [] : [])];
    replace(against, reasons.map(text => h("li", null, text)));
    const rows = applied(one.object);
    settings.update(rows, s => s.name);
    setShown(settings.element, rows.length > 0);
  }

  return {
    hosts, pause, flagPlace, against, submit, commands, settings, wish, changed, showHosts,
    isReady: () => !!form,
    isClosed: () => closed,
    setFlags(table_) {
      flags = table_;
      form = flagForm(flags);
      flagPlace.replaceChildren(form.element);
    },
    close() {
      closed = true;
    },
  };
}

async function start(part, namespace, name, told, forecast) {
  const spec = part.wish();
  if (forecast)
    spec.forecastOnly = true;
  part.submit.disabled = true;
  try {
    const made = await post(pathOf(PLURAL, namespace), manifest(namespace, name, spec));
    if (part.isClosed())
      return;
    if (!forecast)
      return go(["migration", namespace, made.metadata.name]);
    forecast.follow(made.metadata.name);
  } catch (error) {
    told.say(reasonsOf(error).join("; "), true);
  } finally {
    part.submit.disabled = false;
  }
}

// The form, for who may; a word instead for others.
function moveSection(part, namespace, name, forecast, told) {
  const act = h("form", {
    hidden: true, onsubmit(event) {
      event.preventDefault();
      start(part, namespace, name, told, null);
    },
  }, part.hosts.element, h("div", { class: "row" }, field("Pause at most (ms)", part.pause)), part.flagPlace, part.against,
  h("div", { class: "row" }, part.submit, button("What would it cost?", () => start(part, namespace, name, told, forecast))),
  told.element, ...forecast.parts, h("h2", null, "The same by a command"), part.commands,
  h("h2", null, "What would hold, and where it comes from"), part.settings.element);
  const reader = h("p", { class: "quiet", hidden: true }, "You may not move it.");
  may("create", PLURAL, null, namespace).then(async allowed => {
    setShown(act, allowed);
    setShown(reader, !allowed);
    if (!allowed || part.isClosed())
      return;
    try {
      part.setFlags(await flagTable());
    } catch (error) {
      told.say(error.message, true);
    }
    part.changed();
  });
  return h("section", { "aria-label": "Move it" }, h("h2", null, "Move it"), reader, act);
}

// ---- the view ----

const pastTable = namespace => table("Its migrations", [
  { label: "Migration", head: true, of: m => m.metadata.name, link: m => address(["migration", namespace, m.metadata.name]) },
  { label: "When", of: m => time(m.metadata.creationTimestamp) }, { label: "From", of: facts.source }, { label: "To", of: facts.target },
  { label: "Phase", of: facts.phase }, { label: "Why", of: facts.why },
]);

function showFacts(list, vm) {
  replace(list, [["State", facts.vmPhase(vm)], ["Host", facts.vmHost(vm)], ["Memory", bytes(facts.vmMemory(vm))],
    ["Processors", facts.of(vm, "spec.domain.cpu.cores")], ["Domain", facts.of(vm, "spec.domainName")], ["Method", vm.status?.migrationMethod]]
    .filter(([, v]) => v !== undefined && v !== "").map(([k, v]) => h("div", null, h("dt", null, k), h("dd", null, String(v)))));
}

export function move(app, [namespace, name]) {
  const told = notice();
  const list = h("dl", { class: "figures" });
  const trouble = h("p", { class: "message bad" });
  const past = pastTable(namespace);
  const forecast = forecastPart(app, namespace, told);
  const part = wishPart(app, namespace, name);

  let hostsSeen = "";
  function update() {
    const vm = app.store.vms.get(namespace, name);
    if (!vm) {
      setText(trouble, app.store.vms.state === "loading" ? "" : "There is no such VM.");
      return;
    }
    showFacts(list, vm);
    setText(trouble, facts.vmTrouble(vm));
    const now = [...app.store.hosts.items.values()].map(n => `${n.metadata.name} ${facts.hostState(n)}`).sort().join() + facts.vmHost(vm);
    if (now !== hostsSeen) {
      hostsSeen = now;
      part.showHosts();
      if (part.isReady())
        part.changed();
    }
    const own = [...app.store.migrations.items.values()].filter(m => m.spec.vmiName === name && m.metadata.namespace === namespace && !m.spec.forecastOnly)
      .sort((a, b) => a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1);
    past.update(own, m => m.metadata.uid);
    setShown(past.element.parentElement, own.length > 0);
    forecast.update();
  }

  const element = h("div", null, list, trouble, moveSection(part, namespace, name, forecast, told),
    h("section", null, h("h2", null, "Its migrations"), past.element));
  return { title: `VM ${name}`, element, update, close: part.close };
}
