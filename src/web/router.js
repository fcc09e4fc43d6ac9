// SPDX-License-Identifier: Apache-2.0
// The address says which view is seen and how it is filtered: #/vms?host=h1. It stands in the
// fragment, so it is sent to no server, and a link to it works for everybody who may see it.

export function here() {
  const text = location.hash.replace(/^#/, "");
  const mark = text.indexOf("?");
  const path = (mark < 0 ? text : text.slice(0, mark)).split("/").filter(Boolean).map(part => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { path, query: new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)) };
}

export function address(path, query) {
  const parts = path.map(encodeURIComponent).join("/");
  const text = new URLSearchParams(Object.entries(query ?? {}).filter(([, value]) => value)).toString();
  return `#/${parts}${text ? `?${text}` : ""}`;
}

export function go(path, query) {
  location.hash = address(path, query);
}

// Changes the filters of the address that is there, without a step in the history.
export function setQuery(changes) {
  const { path, query } = here();
  const all = { ...Object.fromEntries(query), ...changes };
  history.replaceState(null, "", address(path, all));
}
