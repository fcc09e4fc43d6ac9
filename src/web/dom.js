// SPDX-License-Identifier: Apache-2.0
// Elements made of data. Text becomes text nodes and nothing else: no string is ever parsed as HTML,
// and the policy that ferryd sends (trusted-types 'none') makes the browser refuse it, too.

const SVG = "http://www.w3.org/2000/svg";

// An element: attributes by name, `on...` for a listener, `class`, true for one without a value;
// children are elements, texts, or lists of them, and null is nothing.
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on"))
      element.addEventListener(name.slice(2), value);
    else if (name === "value")
      element.value = value;
    else if (value === true)
      element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false)
      element.append(child instanceof Node ? child : document.createTextNode(String(child)));
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

// Changes a text only where it is another one, so that nothing is read out or painted for nothing.
export function setText(element, text) {
  const wanted = String(text ?? "");
  if (element.textContent !== wanted)
    element.textContent = wanted;
}

export function setShown(element, shown) {
  if (element.hidden === shown)
    element.hidden = !shown;
}

// Keeps one child of `container` for each item, in their order: `make(item)` gives
// {element, update(item)}; what is there is updated, not made anew, so that focus stays.
export function keyed(container, make) {
  const rows = new Map();
  return (items, keyOf) => {
    const wanted = new Set(items.map(keyOf));
    for (const [key, row] of rows)
      if (!wanted.has(key)) {
        row.element.remove();
        rows.delete(key);
      }
    let before = container.firstChild;
    for (const item of items) {
      const key = keyOf(item);
      let row = rows.get(key);
      if (!row) {
        row = make(item);
        rows.set(key, row);
      }
      row.update(item);
      if (row.element === before)
        before = before.nextSibling;
      else
        container.insertBefore(row.element, before);
    }
  };
}

// A table's row whose cells are functions of the item: each gives a text, or {text, href, title,
// class}.
export function rowMaker(cells) {
  return () => {
    const parts = cells.map(cell => {
      const link = cell.link ? h("a") : null;
      const td = h(cell.head ? "th" : "td", { scope: cell.head ? "row" : null, class: cell.class, "data-label": cell.label }, link);
      return { cell, td, link };
    });
    return {
      element: h("tr", null, parts.map(p => p.td)),
      update(item) {
        for (const { cell, td, link } of parts) {
          const value = cell.of(item);
          setText(link ?? td, value);
          if (link) {
            const href = cell.link(item);
            if (link.getAttribute("href") !== href)
              link.setAttribute("href", href);
          }
          const title = cell.title?.(item);
          if (title)
            td.title = title;
        }
      },
    };
  };
}

// A table with a caption for screen readers, and `update(items, keyOf)`.
export function table(caption, cells) {
  const body = h("tbody");
  const element = h("table", null, h("caption", { class: "unseen" }, caption),
    h("thead", null, h("tr", null, cells.map(c => h("th", { scope: "col", class: c.class }, c.label)))), body);
  const update = keyed(body, rowMaker(cells));
  return { element, update };
}

// What is said to everybody, screen readers too, of something that was asked for.
export function notice() {
  const element = h("p", { class: "notice", role: "status", "aria-live": "polite" });
  return {
    element,
    say(text, bad = false) {
      element.classList.toggle("bad", bad);
      setText(element, text);
    },
  };
}

export function button(label, onclick, attributes) {
  return h("button", { type: "button", onclick, ...attributes }, label);
}

// A labelled field.
export function field(label, control, hint) {
  return h("label", { class: "field" }, h("span", null, label), control, hint ? h("small", null, hint) : null);
}

export { SVG };
