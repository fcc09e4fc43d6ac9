// SPDX-License-Identifier: Apache-2.0
// Numbers and times as people read them; times in the reader's own zone.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(n) {
  if (typeof n !== "number" || !isFinite(n))
    return "";
  let unit = 0;
  while (Math.abs(n) >= 1024 && unit < UNITS.length - 1) {
    n /= 1024;
    unit++;
  }
  const digits = unit === 0 || n >= 100 ? 0 : n >= 10 ? 1 : 2;
  return `${n.toFixed(digits)} ${UNITS[unit]}`;
}

export function rate(n) {
  return typeof n === "number" ? `${bytes(n)}/s` : "";
}

export function ms(n) {
  if (typeof n !== "number")
    return "";
  if (n < 1000)
    return `${Math.round(n)} ms`;
  if (n < 60000)
    return `${(n / 1000).toFixed(n < 10000 ? 2 : 1)} s`;
  const s = Math.round(n / 1000);
  const clock = `${Math.floor(s / 60) % 60}:${String(s % 60).padStart(2, "0")}`;
  return s < 3600 ? `${clock} min` : `${Math.floor(s / 3600)}:${clock.padStart(5, "0")} h`;
}

export function percent(n) {
  return typeof n === "number" ? `${Math.round(n)} %` : "";
}

const QUANTITY = { "": 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };

// Bytes of a quantity of Kubernetes, such as 64Mi; undefined for anything else.
export function quantity(text) {
  const found = /^([0-9.]+)([A-Za-z]{0,2})$/.exec(String(text ?? ""));
  return found && found[2] in QUANTITY ? Number(found[1]) * QUANTITY[found[2]] : undefined;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function time(text) {
  const at = text ? new Date(text) : null;
  if (!at || isNaN(at))
    return "";
  return at.toDateString() === new Date().toDateString() ? CLOCK.format(at) : DAY.format(at);
}

export function fullTime(text) {
  const at = text ? new Date(text) : null;
  return at && !isNaN(at) ? DAY.format(at) : "";
}

// "3 VMs", "1 VM"
export function count(n, one, many) {
  return `${n} ${n === 1 ? one : many ?? one + "s"}`;
}
