// SPDX-License-Identifier: Apache-2.0
// The page's frame: who is logged in, which view is seen, and whether what it shows is true now.
import { whenLost } from "./api.js";
import { button, h, replace, setText } from "./dom.js";
import { time } from "./format.js";
import { address, here } from "./router.js";
import { logInWithLink, logOut, may, resume, session, takeLink } from "./session.js";
import { Store } from "./store.js";
import { logIn } from "./views/login.js";
import { overview } from "./views/overview.js";

// Each is fetched when it is first looked at: view(app, path, query) gives {title, element,
// update(), close()}.
const VIEWS = {
  "": () => overview,
  migration: async () => (await import("./views/migration.js")).migration,
  vm: async () => (await import("./views/move.js")).move,
  drain: async () => (await import("./views/drain.js")).drain,
  policies: async () => (await import("./views/policies.js")).policies,
  history: async () => (await import("./views/history.js")).historyView,
  access: async () => (await import("./views/access.js")).access,
};

const NAMESPACE = "ferry namespace";
const main = document.getElementById("main");
const head = document.getElementById("head");
const app = { store: null, session };
let view = null;
let shown = 0; // counts views, so that one that comes late is not shown

// ---- the frame ----

const live = h("span", { class: "live", role: "status", "aria-live": "polite" });

function tellLive() {
  const stale = app.store?.stale();
  const loading = app.store?.all.some(c => c.state === "loading");
  live.dataset.state = stale ? "stale" : loading ? "loading" : "live";
  setText(live, stale ? `Not live since ${time(new Date(stale.since))}: ${stale.error?.message ?? "no answer"}. Trying again.`
    : loading ? "Loading" : "Live");
}

async function buildHead() {
  const links = [["", "Overview"], ["drain", "Drain"], ["policies", "Policies"], ["history", "History"]];
  if (await may("list", "users") || await may("list", "certificates"))
    links.push(["access", "Access"]);
  replace(head,
    h("nav", { "aria-label": "Views" }, links.map(([name, label]) => h("a", { href: address(name ? [name] : []), "data-view": name }, label))),
    live,
    h("span", { class: "who" }, session.user, button("Log out", async () => {
      await logOut().catch(() => {});
      location.reload();
    })));
  head.hidden = false;
}

function markHead(name) {
  for (const link of head.querySelectorAll("a[data-view]"))
    if (link.dataset.view === name)
      link.setAttribute("aria-current", "page");
    else
      link.removeAttribute("aria-current");
}

// ---- views ----

async function show() {
  const number = ++shown;
  const { path, query } = here();
  const name = path[0] ?? "";
  const find = VIEWS[name];
  const make = find ? await find() : null;
  if (number !== shown)
    return;
  view?.close?.();
  view = make ? make(app, path.slice(1), query) : { title: "Not here", element: h("p", null, "There is no such view.") };
  document.title = `${view.title} - Ferry`;
  replace(main, h("h1", null, view.title), view.element);
  markHead(name);
  view.update?.();
  main.focus({ preventScroll: true });
}

function changed() {
  tellLive();
  view?.update?.();
}

async function begin() {
  app.store?.close();
  app.store = new Store(sessionStorage.getItem(NAMESPACE));
  app.store.subscribe(changed);
  app.setNamespace = name => {
    if (name)
      sessionStorage.setItem(NAMESPACE, name);
    else
      sessionStorage.removeItem(NAMESPACE);
    begin();
  };
  app.store.start();
  await Promise.all([buildHead(), show()]);
  tellLive();
}

function stop(why) {
  app.store?.close();
  app.store = null;
  session.user = null;
  shown++;
  view?.close?.();
  view = null;
  head.hidden = true;
  document.title = "Log in - Ferry";
  replace(main, logIn(begin, why));
}

window.addEventListener("hashchange", () => {
  const link = takeLink();
  if (link)
    boot(link);
  else if (app.store)
    show();
});

whenLost(why => {
  if (app.store)
    stop(why ?? "The session has ended.");
});

async function boot(link) {
  try {
    const user = await resume();
    if (link)
      await logInWithLink(link);
    else if (!user)
      return stop();
    await begin();
  } catch (error) {
    stop(error.message);
  }
}

boot(takeLink());
