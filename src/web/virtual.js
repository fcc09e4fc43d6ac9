// SPDX-License-Identifier: Apache-2.0
// A list of any length that keeps only the rows in the document that are seen, all of one height.
// The rows are reused while it scrolls. Screen readers are told the true number and place of each.
import { h } from "./dom.js";

const HEIGHT = 32;
const MORE = 6; // rows kept above and below

export function virtualList(label, columns, make, update) {
  const space = h("div", { class: "space", role: "presentation" });
  const head = h("div", { class: "vrow vhead", role: "row" }, columns.map(c => h("span", { role: "columnheader" }, c)));
  const view = h("div", { class: "virtual", role: "table", "aria-label": label, tabindex: "0" }, head,
    h("div", { role: "rowgroup", class: "rows" }, space));
  const rows = [];
  let items = [];
  let asked = 0;

  function paint() {
    asked = 0;
    const first = Math.max(0, Math.floor(view.scrollTop / HEIGHT) - MORE);
    const shown = Math.min(items.length - first, Math.ceil(view.clientHeight / HEIGHT) + 2 * MORE);
    while (rows.length < shown) {
      const row = make();
      row.element.classList.add("vrow");
      row.element.setAttribute("role", "row");
      rows.push(row);
      space.append(row.element);
    }
    rows.forEach((row, i) => {
      const at = first + ((i - first) % rows.length + rows.length) % rows.length;
      const on = at < first + shown;
      if (row.element.hidden === on)
        row.element.hidden = !on;
      if (!on)
        return;
      if (row.at !== at) {
        row.at = at;
        row.element.style.transform = `translateY(${at * HEIGHT}px)`;
        row.element.setAttribute("aria-rowindex", String(at + 2));
      }
      update(row, items[at]);
    });
  }

  function ask() {
    if (!asked)
      asked = requestAnimationFrame(paint);
  }

  view.addEventListener("scroll", ask, { passive: true });
  const resized = new ResizeObserver(ask);
  resized.observe(view);
  return {
    element: view,
    setItems(wanted) {
      items = wanted;
      space.style.height = `${items.length * HEIGHT}px`;
      view.setAttribute("aria-rowcount", String(items.length + 1));
      ask();
    },
    close() {
      resized.disconnect();
      cancelAnimationFrame(asked);
    },
  };
}
