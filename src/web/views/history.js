// SPDX-License-Identifier: Apache-2.0
// What has been: migrations that have ended, and events; searched by VM, host, reason or any word.
import { list, pathOf } from "../api.js";
import { button, field, h, setText, table } from "../dom.js";
import * as facts from "../facts.js";
import { count, fullTime, ms } from "../format.js";
import { address, setQuery } from "../router.js";

const MOST = 300; // rows that are shown; a search makes them fewer

const has = (texts, q) => !q || texts.some(text => String(text ?? "").toLowerCase().includes(q));
const eventTime = e => e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp ?? "";

export function historyView(app, path, query) {
  const q = h("input", { type: "search", value: query.get("q") ?? "", oninput() {
    setQuery({ q: q.value.trim() });
    update();
  } });
  const told = h("p", { class: "quiet", role: "status" });
  const ended = table("Migrations that have ended", [
    { label: "Migration", head: true, of: m => m.metadata.name, link: m => address(["migration", m.metadata.namespace, m.metadata.name]) },
    { label: "VM", of: m => m.spec.vmiName, link: m => address(["vm", m.metadata.namespace, m.spec.vmiName]) },
    { label: "From", of: facts.source }, { label: "To", of: facts.target },
    { label: "Result", of: m => m.spec.forecastOnly ? `forecast, ${facts.phase(m)}` : facts.phase(m) },
    { label: "Reason", of: m => m.status?.reason ?? "" }, { label: "In words", of: facts.why },
    { label: "Total", class: "number", of: m => ms(m.status?.summary?.totalMs) }, { label: "Pause", class: "number", of: m => ms(m.status?.summary?.downtimeMs) },
    { label: "Ended", of: m => fullTime(facts.of(m, "status.migrationState.endTimestamp")) },
  ]);
  const eventTable = table("Events", [
    { label: "When", head: true, of: e => fullTime(eventTime(e)) }, { label: "About", of: e => `${e.involvedObject?.kind ?? ""} ${e.involvedObject?.name ?? ""}` },
    { label: "Type", of: e => e.type }, { label: "Reason", of: e => e.reason }, { label: "What", of: e => e.message ?? e.note ?? "" },
  ]);
  let events = [];

  async function load() {
    try {
      ({ items: events } = await list(pathOf("events", app.store.namespace)));
      events.sort((a, b) => eventTime(a) < eventTime(b) ? 1 : -1);
    } catch (error) {
      setText(told, error.message);
    }
    update();
  }

  function update() {
    const word = q.value.trim().toLowerCase();
    const all = [...app.store.migrations.items.values()].filter(m => facts.isFinal(m) &&
      has([m.metadata.name, m.metadata.namespace, m.spec.vmiName, facts.source(m), facts.target(m), facts.phase(m), m.status?.reason, facts.why(m)], word))
      .sort((a, b) => (facts.of(a, "status.migrationState.endTimestamp") ?? "") < (facts.of(b, "status.migrationState.endTimestamp") ?? "") ? 1 : -1);
    const some = events.filter(e => has([e.involvedObject?.name, e.involvedObject?.kind, e.reason, e.message, e.type], word));
    ended.update(all.slice(0, MOST), m => m.metadata.uid);
    eventTable.update(some.slice(0, MOST), e => e.metadata.uid ?? e.metadata.name);
    setText(told, `${count(all.length, "migration")}, ${count(some.length, "event")}${Math.max(all.length, some.length) > MOST ? `; the newest ${MOST} of each are shown` : ""}`);
  }

  load();
  const element = h("div", null, h("div", { class: "row" }, field("VM, host, reason or any word", q), button("Look again", load)), told,
    h("section", null, h("h2", null, "Migrations"), ended.element), h("section", null, h("h2", null, "Events"), eventTable.element));
  return { title: "History", element, update };
}
