// SPDX-License-Identifier: Apache-2.0
// One migration: as it goes, and again from its record once it has ended.
//
// The view shows what the record holds: its figures, the course as a chart and as a table, each
// decision with its reason. While the migration runs, what was seen of its progress is kept beside
// the course that the agent writes down every few seconds, so that the chart follows it. Once it
// has ended the same parts are drawn again from the record, up to the moment that the replay has
// reached. Acts are offered to those who have the right to them; the server decides.
import { post, put, pathOf, reasonsOf } from "../api.js";
import { courseChart } from "../chart.js";
import { button, field, h, keyed, notice, setShown, setText, table } from "../dom.js";
import * as facts from "../facts.js";
import { bytes, fullTime, ms, percent, rate, time } from "../format.js";
import { address } from "../router.js";
import { offer } from "../session.js";

const PLURAL = "virtualmachineinstancemigrations";

// The facts that ferry explain and ferry top say of it: label and text.
function timeLeft(p) {
  if (p.estimate === "NotConverging")
    return p.neededDowntimeMs ? `not converging: a pause of ${ms(p.neededDowntimeMs)} would do` : "not converging";
  if (p.remainingSeconds === undefined)
    return "";
  return (p.estimate === "NotBefore" ? "at least " : "") + ms(p.remainingSeconds * 1000);
}

function figures(m) {
  const p = m.status?.progress ?? {}, s = m.status?.summary, state = m.status?.migrationState ?? {};
  const live = facts.isMoving(m);
  return [
    ["Phase", facts.phase(m)],
    ["From", facts.source(m)], ["To", facts.target(m)],
    ["Network", [state.network, state.targetNodeAddress].filter(Boolean).join(", ")],
    ["Mode", live ? state.mode : ""],
    ["Done", percent(facts.percentDone(m))],
    ["Remaining", live ? bytes(p.dataRemainingBytes) : ""],
    ["Rate", live ? rate(p.memoryTransferRateBytesPerSecond) : ""],
    ["Dirty rate", live ? rate(p.dirtyRateBytesPerSecond) : ""],
    ["Pass", live ? p.iteration : ""],
    ["Time that remains", live ? timeLeft(p) : ""],
    ["Pause allowed", ms(facts.allowedPause(m))],
    ["Pause expected", live ? ms(p.expectedDowntimeMs) : ""],
    ["Limit in force", live ? ms(facts.limit(m)) : ""],
    ["Total time", ms(s?.totalMs)], ["Pause", ms(s?.downtimeMs)],
    ["Data", bytes(s?.dataTransferredBytes)], ["Average rate", rate(s?.averageRateBytesPerSecond)],
    ["Passes", s?.iterations], ["Most throttled", s?.topThrottlePercent ? percent(s.topThrottlePercent) : ""],
    ["Begun", fullTime(state.startTimestamp)], ["Ended", fullTime(state.endTimestamp)],
    ["Policy", state.migrationPolicyName],
    ["Estimate was", m.status?.forecast?.totalMs !== undefined ? `${ms(m.status.forecast.totalMs)}, pause ${ms(m.status.forecast.downtimeMs)}` : ""],
    ["Off by", s?.forecastErrorPercent !== undefined ? percent(s.forecastErrorPercent) : ""],
  ].filter(([, text]) => text !== "" && text !== undefined && text !== null);
}

function figureList() {
  const list = h("dl", { class: "figures" });
  const update = keyed(list, () => {
    const dd = h("dd"), dt = h("dt");
    return {
      element: h("div", null, dt, dd),
      update([label, text]) {
        setText(dt, label);
        setText(dd, text);
      },
    };
  });
  return { element: list, update: m => update(figures(m), ([label]) => label) };
}

function band(m) {
  const best = m.status?.forecast?.strategies?.find(s => s.name === m.status.forecast.best);
  const total = m.status?.forecast?.totalMs;
  if (total === undefined)
    return null;
  return [best?.totalMinMs ?? total, best?.totalMaxMs ?? total];
}

// ---- changing it ----

function changeForm(m, told) {
  const downtime = h("input", { type: "number", min: "1", inputmode: "numeric" });
  const bandwidth = h("input", { type: "number", min: "1", inputmode: "numeric" });
  const technique = h("select", null, [["", "as it is"], ["pre-copy", "stay in pre-copy"], ["post-copy", "post-copy now"]]
    .map(([value, label]) => h("option", { value }, label)));
  const reason = h("input", { maxlength: "1024" });
  return h("form", {
    class: "row", "aria-label": "Change it while it runs",
    async onsubmit(event) {
      event.preventDefault();
      const body = {};
      if (downtime.value)
        body.downtimeMs = Number(downtime.value);
      if (bandwidth.value)
        body.bandwidthMiBps = Number(bandwidth.value);
      if (technique.value)
        body.technique = technique.value;
      if (reason.value)
        body.reason = reason.value;
      try {
        await put(pathOf(PLURAL, m.metadata.namespace, m.metadata.name, "change"), body);
        told.say("Asked for; the list of changes says what becomes of it.");
      } catch (error) {
        told.say(reasonsOf(error).join("; "), true);
      }
    },
  }, field("Pause at most (ms)", downtime), field("Bandwidth (MiB/s)", bandwidth), field("Technique", technique),
  field("Why", reason), h("button", { type: "submit" }, "Change"));
}

async function cancel(m, told) {
  try {
    await put(pathOf(PLURAL, m.metadata.namespace, m.metadata.name, "cancel"), {});
    told.say("Asked to cancel it.");
  } catch (error) {
    told.say(reasonsOf(error).join("; "), true);
  }
}

async function again(m, told) {
  const spec = { ...m.spec };
  try {
    const made = await post(pathOf(PLURAL, m.metadata.namespace), {
      apiVersion: "kubevirt.io/v1", kind: "VirtualMachineInstanceMigration",
      metadata: { generateName: `${m.spec.vmiName}-` }, spec,
    });
    location.hash = address(["migration", made.metadata.namespace, made.metadata.name]);
  } catch (error) {
    told.say(reasonsOf(error).join("; "), true);
  }
}

// ---- replay ----

function replay(onTime) {
  const range = h("input", { type: "range", min: "0", max: "1", step: "1", value: "1", "aria-label": "Time since the start" });
  const said = h("output");
  let timer = 0;
  function tell() {
    setText(said, ms(Number(range.value)));
    onTime(Number(range.value));
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    setText(play, "Play");
  }
  const play = button("Play", () => {
    if (timer)
      return stop();
    const end = Number(range.max), begun = performance.now(), lasts = Math.min(10000, Math.max(2000, end));
    setText(play, "Stop");
    timer = setInterval(() => {
      const part = Math.min(1, (performance.now() - begun) / lasts);
      range.value = String(Math.round(end * part));
      tell();
      if (part === 1)
        stop();
    }, 100);
  });
  range.addEventListener("input", tell);
  const element = h("div", { class: "row replay", role: "group", "aria-label": "Replay" }, play, range, said);
  return {
    element, stop,
    setEnd(end) {
      if (Number(range.max) !== end) {
        range.max = String(end);
        range.value = String(end);
        setText(said, ms(end));
      }
    },
  };
}

// ---- the tables ----

const decisionTable = () => table("What was decided, and why", [
  { label: "After", head: true, class: "number", of: d => ms(d.elapsedMs) },
  { label: "What", of: d => d.value === undefined ? d.action : `${d.action} ${d.value}` },
  { label: "Why", of: d => d.reason ?? d.code },
  { label: "Remaining", class: "number", of: d => bytes(d.remainingBytes) },
  { label: "Limit", class: "number", of: d => ms(d.limitMs) },
]);

const phaseTable = () => table("Phases", [
  { label: "Phase", head: true, of: p => p.phase }, { label: "Begun", of: p => time(p.phaseTransitionTimestamp) },
]);

const changeTable = () => table("What people changed", [
  { label: "By", head: true, of: c => c.by }, { label: "When", of: c => time(c.time) },
  { label: "What", of: c => Object.entries(c.fields ?? {}).map(([k, v]) => `${k} ${v}`).join(", ") },
  { label: "State", of: c => [c.state, c.message].filter(Boolean).join(": ") },
]);

const refusalTable = () => table("Hosts that cannot take it", [
  { label: "Host", head: true, of: r => r.nodeName }, { label: "Why", of: r => r.reasons.map(x => x.message || x.reason).join("; ") },
]);

const courseTable = () => table("The course in numbers", [
  { label: "After", head: true, class: "number", of: r => ms(r.elapsedMs) }, { label: "Pass", class: "number", of: r => r.iteration ?? "" },
  { label: "Remaining", class: "number", of: r => bytes(r.remainingBytes) }, { label: "Rate", class: "number", of: r => rate(r.rateBytesPerSecond) },
  { label: "Dirty rate", class: "number", of: r => rate(r.dirtyRateBytesPerSecond) }, { label: "Limit", class: "number", of: r => ms(r.limitMs) },
]);

const section = (title, part) => h("section", null, h("h2", null, title), part.element);

// All of them below each other; those that have no row are not shown.
function records() {
  const decisions = decisionTable(), phases = phaseTable(), changes = changeTable(), refusals = refusalTable(), course = courseTable();
  const parts = [section("Decisions", decisions), section("Changes", changes), section("Hosts that cannot take it", refusals),
    section("Phases", phases), h("details", null, h("summary", null, "The course in numbers"), course.element)];
  return {
    parts,
    update(m, rows, made) {
      const said = m.status?.changes ?? [], refused = m.status?.refusals ?? [];
      decisions.update(made, d => `${d.elapsedMs} ${d.action} ${d.code}`);
      phases.update(m.status?.phaseTransitionTimestamps ?? [], p => `${p.phase} ${p.phaseTransitionTimestamp}`);
      changes.update(said, c => c.id);
      refusals.update(refused, r => r.nodeName);
      course.update(rows, r => r.elapsedMs);
      [made, said, refused].forEach((some, i) => setShown(parts[i], some.length > 0));
    },
  };
}

// ---- the acts ----

// What can be done to one that runs, and to one that has ended.
function actsOf(namespace, told) {
  const running = h("section", { "aria-label": "Acts" }), ended = h("section", { "aria-label": "Again" });
  return {
    running, ended,
    build(m) {
      running.replaceChildren(
        offer(h("div", null, button("Cancel the migration", () => cancel(m, told))), "update", PLURAL, "cancel", namespace),
        offer(h("div", null, changeForm(m, told)), "update", PLURAL, "change", namespace));
      ended.replaceChildren(offer(h("div", null, button("Move it again", () => again(m, told))), "create", PLURAL, null, namespace));
    },
  };
}

// ---- the view ----

export function migration(app, [namespace, name]) {
  const told = notice();
  const message = h("p", { class: "message" });
  const list = figureList(), chart = courseChart(), tables = records(), acts = actsOf(namespace, told);
  const seen = [];
  let uid = null, until = Infinity; // of the replay, ms
  const film = replay(at => {
    until = at;
    update();
  });

  function update() {
    const m = app.store.migrations.get(namespace, name);
    if (!m) {
      setText(message, app.store.migrations.state === "loading" ? "Loading" : "There is no such migration.");
      return;
    }
    if (uid !== m.metadata.uid)
      acts.build(m);
    uid = m.metadata.uid;
    const last = facts.sample(m);
    if (last && seen.at(-1)?.elapsedMs !== last.elapsedMs && facts.isMoving(m))
      seen.push(last);
    const final = facts.isFinal(m);
    const rows = facts.course(m, seen).filter(r => r.elapsedMs <= until);
    const made = (m.status?.decisions ?? []).filter(d => (d.elapsedMs ?? 0) <= until);
    setText(message, facts.why(m));
    list.update(m);
    chart.set(rows, made.map(d => d.elapsedMs).filter(t => t !== undefined), band(m));
    tables.update(m, rows, made);
    setShown(acts.running, !final);
    setShown(acts.ended, final);
    setShown(film.element, final && rows.length > 0);
    if (final)
      film.setEnd(Math.max(1, ...facts.course(m, seen).map(r => r.elapsedMs), ...(m.status?.decisions ?? []).map(d => d.elapsedMs ?? 0)));
  }

  const element = h("div", { class: "migration" }, message, acts.running, told.element, list.element,
    film.element, chart.element, ...tables.parts, acts.ended);
  return {
    title: `Migration ${name}`, element, update,
    close() {
      film.stop();
      chart.close();
    },
  };
}
