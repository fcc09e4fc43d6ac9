// SPDX-License-Identifier: Apache-2.0
// What an object says, as plain facts: the same ones that ferry explain, top and describe print.
import { quantity } from "./format.js";

export const of = (object, path) => path.split(".").reduce((value, key) => value?.[key], object);

const ENDED = new Set(["Succeeded", "Failed"]);
const RUNNING = new Set(["PreparingTarget", "TargetReady", "Running"]);

export function isFinal(migration) {
  return ENDED.has(migration.status?.phase);
}

export function isMoving(migration) {
  return RUNNING.has(migration.status?.phase);
}

export function isWaiting(migration) {
  return !isFinal(migration) && !isMoving(migration);
}

export function succeeded(migration) {
  return migration.status?.phase === "Succeeded";
}

export function phase(migration) {
  return migration.status?.phase ?? "Pending";
}

export const source = migration => of(migration, "status.migrationState.sourceNode") ?? "";
export const target = migration =>
  of(migration, "status.migrationState.targetNode") ?? migration.spec?.targetNode ?? "";

export function why(migration) {
  const queue = migration.status?.queue;
  return (isWaiting(migration) && queue?.message) || migration.status?.message ||
    of(migration, "status.migrationState.failureReason") || "";
}

// The limit of the pause that holds now: of the newest decision that says one, else as configured.
export function limit(migration) {
  const decisions = migration.status?.decisions ?? [];
  for (let i = decisions.length - 1; i >= 0; i--)
    if (decisions[i].limitMs !== undefined)
      return decisions[i].limitMs;
  return undefined;
}

export function configuration(migration) {
  return of(migration, "status.migrationState.migrationConfiguration") ?? {};
}

export function allowedPause(migration) {
  return configuration(migration).maxDowntimeMs ?? migration.spec?.maxDowntimeMs;
}

export function percentDone(migration) {
  if (succeeded(migration))
    return 100;
  return of(migration, "status.progress.percent");
}

export function startedAt(migration) {
  return of(migration, "status.migrationState.startTimestamp") ?? migration.metadata.creationTimestamp;
}

// ---- hosts ----

export function condition(object, type) {
  return object.status?.conditions?.find(c => c.type === type);
}

export function hostState(host) {
  const ready = condition(host, "Ready");
  const words = [ready?.status === "True" ? "Ready" : "NotReady"];
  if (host.spec?.unschedulable)
    words.push("cordoned");
  return words.join(", ");
}

// Why a host is not ready, and whatever else it complains about.
export function hostCauses(host) {
  return (host.status?.conditions ?? [])
    .filter(c => c.type === "Ready" ? c.status !== "True" : c.status === "True")
    .map(c => c.message || c.reason || c.type);
}

export function hostMemory(host) {
  const all = quantity(host.status?.capacity?.memory);
  return { used: host.status?.memoryUsedBytes, all };
}

export function hostSpeed(host) {
  return Math.max(0, ...(host.status?.interfaces ?? []).filter(i => i.up).map(i => i.speedMbps ?? 0));
}

// ---- VMs ----

export const vmHost = vm => vm.status?.nodeName ?? "";
export const vmPhase = vm => vm.status?.phase ?? "";
export const vmMemory = vm => vm.status?.guestMemoryBytes ?? quantity(of(vm, "spec.domain.memory.guest"));

export function vmTrouble(vm) {
  const bad = (vm.status?.conditions ?? []).filter(c =>
    (["Ready", "LiveMigratable"].includes(c.type) && c.status === "False") ||
    (["DuplicateName", "RunningOnTwoHosts", "ClaimedByAnotherHost"].includes(c.type) && c.status === "True"));
  return bad.map(c => c.message || c.reason || c.type).join("; ");
}

// ---- samples ----

// Rows of the copy's course in the order of time: what the record has, and what was seen here.
export function course(migration, seen = []) {
  const rows = new Map();
  for (const row of migration.status?.course ?? [])
    rows.set(row.elapsedMs, row);
  for (const row of seen)
    if (!rows.has(row.elapsedMs))
      rows.set(row.elapsedMs, row);
  return [...rows.values()].sort((a, b) => a.elapsedMs - b.elapsedMs);
}

export function sample(migration) {
  const p = migration.status?.progress;
  if (p?.elapsedMs === undefined || p.dataRemainingBytes === undefined)
    return null;
  return {
    elapsedMs: p.elapsedMs, iteration: p.iteration, remainingBytes: p.dataRemainingBytes,
    rateBytesPerSecond: p.memoryTransferRateBytesPerSecond, dirtyRateBytesPerSecond: p.dirtyRateBytesPerSecond,
    limitMs: limit(migration),
  };
}
